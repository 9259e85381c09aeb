"""Planted faults are found, each by the line that it is in; the same kernels without them are found to be right."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from .launching import KERNELS, ORDERS, launch
from .module import EmulatorError

pytestmark = pytest.mark.cuda_emulated

FILES = ("races.cu", "memory.cu", "last_array.cu", "barriers.cu", "copies.cu")
SIZES = {"over_the_end": 63}  # numbers in x
GRIDS = {"of_another_block": 2, "plain_sum_of_blocks": 4}
BLOCKS = {"lanes_of_the_block": 48}
OTHERS = {"absent": (None,)}  # arguments after x and n


class Planted(NamedTuple):
    """A pair of kernels, and what may be said of the faulty one: (line, text)."""

    file: str
    name: str
    said: tuple[tuple[int, str], ...]


def functions(file: str) -> Iterator[tuple[str, int, list[str]]]:
    """The functions of a file of kernels: name, number of the first line, lines."""
    text = (KERNELS / file).read_text()
    for found in re.finditer(r"^[\w \"<>]*?(\w+)\([^()]*\) \{(.+\}$|\n(.*\n)*?\}$)", text, re.MULTILINE):
        yield found[1], text[: found.start()].count("\n") + 1, found[0].split("\n")


def planted(file: str) -> Iterator[Planted]:
    """The pairs of a file; a line of a function that kernels call may be named for each of them."""
    said = {}
    for name, first, lines in functions(file):
        marks = [(first + i, line.partition("// fault: ")[2]) for i, line in enumerate(lines) if "// fault:" in line]
        called = [mark for other in said if re.search(rf"\b{other}\b[<(]", "\n".join(lines)) for mark in said[other]]
        said[name] = (*marks, *called)
    return (Planted(file, name.removesuffix("_fault"), said[name]) for name in said if name.endswith("_fault"))


PLANTED = [pair for file in FILES for pair in planted(file)]
each = pytest.mark.parametrize("pair", PLANTED, ids=lambda pair: f"{Path(pair.file).stem}-{pair.name}")


def run(pair: Planted, kernel: str, **options: Any) -> np.ndarray:
    n = SIZES.get(pair.name, 64)
    x = np.arange(1, n + 1, dtype=np.float32)
    arguments = (x, np.int32(n), *OTHERS.get(pair.name, ()))
    sizes = {"grid": GRIDS.get(pair.name, 1), "block": BLOCKS.get(pair.name, 64), "shared_bytes": 256}
    launch(pair.file, kernel, *arguments, **sizes, **options)
    return x


def test_files_hold_the_pairs():
    assert len(PLANTED) > 45
    assert all(pair.said for pair in PLANTED)


@each
@pytest.mark.parametrize("order", ORDERS)
def test_fault_is_found_in_its_line(pair: Planted, order: int):
    with pytest.raises(EmulatorError) as error:
        run(pair, f"{pair.name}_fault", order=order)
    message = str(error.value)
    assert any(
        message.startswith(f"{pair.name}_fault: {pair.file}:{line}: ") and text in message for line, text in pair.said
    )
    assert re.search(r"at block \(\d,0,0\) thread \(\d+,0,0\)$", message)


@each
def test_kernel_without_the_fault_passes_in_every_order(pair: Planted):
    results = [run(pair, pair.name, order=order) for order in ORDERS]
    results += [run(pair, pair.name, order=order, mode="fast") for order in ORDERS]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_race_names_both_lines():
    pair = next(pair for pair in PLANTED if pair.name == "removed_barrier")
    with pytest.raises(EmulatorError, match=r"races\.cu") as error:
        run(pair, "removed_barrier_fault")
    assert {int(line) for line in re.findall(r"races\.cu:(\d+)", str(error.value))} == {line for line, _ in pair.said}


def test_access_beside_an_array_names_the_nearest():
    numbers = np.zeros(256, np.float32)
    x, bias = numbers[:64], numbers[128:188]  # 60 numbers for 64 threads
    with pytest.raises(
        EmulatorError, match=r"read of 4 bytes, 0 bytes past the end of argument 2, .* thread \(60,0,0\)"
    ):
        launch("memory.cu", "absent", x, np.int32(64), bias, block=64)


@pytest.mark.parametrize(
    ("name", "what", "memory", "multiple", "first", "apart"),
    [
        ("aligned_vector", "access", "argument 0", 16, 4, 16),
        ("aligned_number", "access", "argument 0", 4, 2, 0),
        ("aligned_atomic", "atomic", "argument 0", 4, 2, 0),
        ("aligned_source", "source of a cp.async", "argument 0", 16, 8, 0),
        ("aligned_destination", "destination of a cp.async", "shared memory", 8, 4, 0),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_misaligned_place_is_named(
    name: str, what: str, memory: str, multiple: int, first: int, apart: int, order: int
):
    pair = next(pair for pair in PLANTED if pair.name == name)
    with pytest.raises(EmulatorError) as error:
        run(pair, f"{name}_fault", order=order)
    said = rf"misaligned {what} at byte (\d+) of {memory}: it needs a multiple of {multiple} bytes, "
    found = re.search(said + r"and the address is (\d+) past one, at .* thread \((\d+),0,0\)", str(error.value))
    assert found, str(error.value)
    byte, past, thread = map(int, found.groups())
    assert (byte, past) == (first + apart * thread, first)


@pytest.mark.parametrize("name", ["aligned_atomic", "aligned_source", "aligned_destination"])
def test_misaligned_copy_and_atomic_are_found_in_the_fast_build_too(name: str):
    pair = next(pair for pair in PLANTED if pair.name == name)
    ((line, said),) = pair.said
    with pytest.raises(EmulatorError, match=rf":{line}: {said}: it needs a multiple of"):
        run(pair, f"{name}_fault", mode="fast")


def test_copy_that_nobody_waited_for_is_nan_in_the_fast_build():
    pair = next(pair for pair in PLANTED if pair.name == "groups_waited_for")
    assert np.isnan(run(pair, "groups_waited_for_fault", mode="fast")[:32]).all()
    assert np.isnan(run(pair, "read_too_early", mode="fast")).all()
    np.testing.assert_array_equal(
        run(pair, "groups_waited_for", mode="fast"), np.arange(1, 65, dtype=np.float32).reshape(4, 16)[:, ::-1].ravel()
    )


@pytest.mark.parametrize("name", ["removed_barrier", "missing_syncwarp"])
def test_some_order_of_threads_shows_a_race_in_the_fast_build_too(name: str):
    pair = next(pair for pair in PLANTED if pair.name == name)
    right = run(pair, name, mode="fast")
    found = [run(pair, f"{name}_fault", mode="fast", order=order) for order in ORDERS]
    assert any(not np.array_equal(result, right) for result in found)


@pytest.mark.parametrize(("name", "said"), [("divides", "divided by zero"), ("absent", "memory of no array")])
def test_what_the_cpu_stops_ends_the_launch_and_not_the_process(name: str, said: str):
    pair = next(pair for pair in PLANTED if pair.name == name)
    ((line, _),) = pair.said
    with pytest.raises(EmulatorError, match=rf"memory\.cu:{line}: .*{said}.* thread \(0,0,0\)"):
        run(pair, f"{name}_fault", mode="fast")
    run(pair, name, mode="fast")


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("past_the_end", 64, "write past the end of argument 0"),
        ("dynamic_array", 64, "write past the end of dynamic shared memory"),
        ("over_the_end", 63, "write past the end of argument 0"),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_write_beside_an_array_ends_the_launch_of_the_fast_build_and_not_the_process(
    name: str, size: int, said: str, order: int
):
    pair = next(pair for pair in PLANTED if pair.name == name)
    whole = np.full(3 * size, 5, np.float32)
    x = whole[size : 2 * size]
    with pytest.raises(EmulatorError) as error:
        launch(pair.file, f"{name}_fault", x, np.int32(size), block=64, shared_bytes=256, mode="fast", order=order)
    assert (
        str(error.value) == f'{name}_fault: out of bounds: {said}; run it with install("checked"), which names the line'
    )
    np.testing.assert_array_equal(whole.reshape(3, size)[[0, 2]], 5)
    run(pair, name, mode="fast")


def test_write_in_front_of_an_array_is_told_in_the_fast_build():
    with pytest.raises(EmulatorError, match="write before argument 0; run it with install"):
        launch("memory.cu", "in_front_fault", np.ones(64, np.float32), np.int32(64), block=64, mode="fast")


def test_arrays_that_overlap_stay_one_memory_in_the_fast_build():
    x = np.arange(1, 129, dtype=np.float32)
    launch("memory.cu", "absent", x[:64], np.int32(64), x[32:96], block=64, mode="fast")
    expected = np.arange(1, 65) + np.arange(33, 97)
    np.testing.assert_array_equal(x[:32], expected[:32])
