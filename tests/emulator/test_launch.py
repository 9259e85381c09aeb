"""What a launch refuses, and launches from several threads of Python."""

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import pytest

from .launching import launch, module
from .module import EmulatorError, _one_launch

pytestmark = pytest.mark.cuda_emulated
i32 = np.int32
X = np.ones(64, np.float32)
NUMBERS = (i32(1), np.uint32(1), np.int64(1), np.float32(1), np.float64(1), np.uint8(1), np.uint16(1), np.zeros(7))


def copy(*arguments: Any, **sizes: Any) -> None:
    launch("memory.cu", "past_the_end", *arguments, mode="fast", **sizes)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"block": 1025}, "1024 in all"),
        ({"block": (32, 33)}, "1024 in all"),
        ({"block": (1, 1, 65)}, "64 along z"),
        ({"block": 0}, "a block of"),
        ({"grid": (1, 65536)}, "65535"),
        ({"grid": (1, 1, 65536)}, "65535"),
        ({"grid": 0}, "a grid of"),
        ({"shared_bytes": 232449}, "232449 bytes of dynamic shared memory"),
        ({"shared_bytes": -1}, "dynamic shared memory"),
    ],
)
def test_sizes_that_no_gpu_takes(sizes: dict[str, Any], said: str):
    with pytest.raises(EmulatorError, match=said):
        copy(X.copy(), i32(64), **sizes)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((X,), "takes 2 arguments, got 1"),
        ((X, i32(1), i32(1)), "takes 2 arguments, got 3"),
        ((X, 64), "argument 1: the kernel takes one int32, got int"),
        ((X, np.int64(64)), "argument 1: the kernel takes one int32, got int64"),
        ((X, np.uint32(64)), "argument 1: the kernel takes one int32, got uint32"),
        ((X, np.float32(64)), "argument 1: the kernel takes one int32, got float32"),
        ((X, np.array(64, i32)), "argument 1: the kernel takes one int32, got int32"),
        ((X, None), "argument 1: the kernel takes one int32, got NoneType"),
        ((X.astype(np.float64), i32(64)), "argument 0: the kernel takes an array of float32, got float64"),
        ((X.view(i32), i32(64)), "argument 0: the kernel takes an array of float32, got int32"),
        (([1.0], i32(64)), "argument 0: the kernel takes an array of float32, got list"),
        ((X[::2], i32(32)), "argument 0: the array is not C-contiguous"),
    ],
)
def test_arguments_of_other_types(arguments: tuple, said: str):
    with pytest.raises(EmulatorError, match=said):
        copy(*arguments)


@pytest.mark.parametrize("position", range(7))
def test_each_type_of_number_is_taken_for_no_other(position: int):
    others = [number for number in NUMBERS[:7] if type(number) is not type(NUMBERS[position])]
    for other in others:
        with pytest.raises(EmulatorError, match=f"argument {position}: "):
            launch("language.cu", "numbers", *NUMBERS[:position], other, *NUMBERS[position + 1 :], mode="fast")


def test_unknown_kernel():
    with pytest.raises(EmulatorError, match="has no kernel nothing"):
        launch("memory.cu", "nothing", mode="fast")


def test_launches_of_several_threads_run_one_after_another():
    x = X.copy()
    with ThreadPoolExecutor(1) as pool:
        with _one_launch:
            running = pool.submit(copy, x, i32(64))
            assert not wait([running], timeout=0.3).done
        running.result()
    assert (x == 1).all()


@pytest.mark.parametrize("mode", ["fast", "checked"])
def test_launches_of_several_threads_do_not_disturb_each_other(mode: str):
    def work(number: int) -> np.ndarray:
        x = np.full(64, number, np.float32)
        for _ in range(5):
            launch("races.cu", "reused_scratch", x, i32(64), block=64, mode=mode)
            x += number
        return x

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(8)))
    for number, result in enumerate(results):
        np.testing.assert_array_equal(result, np.full(64, number, np.float32))  # the variance of equal numbers is 0


def test_fault_of_one_thread_is_not_told_another():
    def work(number: int) -> str:
        name = "past_the_end_fault" if number % 2 else "past_the_end"
        try:
            launch("memory.cu", name, np.ones(8 + number, np.float32), i32(8 + number), block=64)
        except EmulatorError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(work, range(40)))
    assert [bool(text) for text in said] == [bool(number % 2) for number in range(40)]


def test_counts():
    launch("races.cu", "removed_barrier", X.copy(), i32(64), block=64)
    counts = module("races.cu", "checked").counts()
    assert counts["barriers"] == 4
    assert counts["warp_operations"] == 0
    assert counts["accesses"] == 2 * (2 * 64 + 2 * 32)
    launch("races.cu", "reused_scratch", X.copy(), i32(64), block=64)
    assert module("races.cu", "checked").counts()["warp_operations"] == 2 * 5 * 2
