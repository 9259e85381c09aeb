"""What CUDA's language gives a kernel, against NumPy: in the fast build and the checked one, in several orders."""

from typing import Any

import numpy as np
import pytest

from .launching import ORDERS, launch

pytestmark = pytest.mark.cuda_emulated
both_builds = pytest.mark.parametrize("mode", ["fast", "checked"])
i32 = np.int32


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(params=[(mode, order) for mode in ("fast", "checked") for order in ORDERS], ids=str)
def run(request: pytest.FixtureRequest) -> Any:
    """Launch a kernel of language.cu in each build and order."""
    mode, order = request.param

    def launched(kernel: str, *arguments: Any, **sizes: Any) -> None:
        launch("language.cu", kernel, *arguments, mode=mode, order=order, **sizes)

    return launched


@pytest.mark.parametrize(
    ("grid", "block"), [((3,), (5,)), ((2, 3), (4, 2)), ((2, 1, 3), (3, 2, 2)), ((1, 1, 1), (2, 1, 64))]
)
def test_threads_know_their_places(run: Any, grid: tuple[int, ...], block: tuple[int, ...]):
    blocks, threads = ((*size, 1, 1)[:3] for size in (grid, block))
    found = np.full((*blocks[::-1], *threads[::-1], 12), -1, i32)
    run("places", found, grid=grid, block=block)
    numbers = np.indices(found.shape[:-1])[[5, 4, 3, 2, 1, 0]]
    np.testing.assert_array_equal(found[..., :6], np.moveaxis(numbers, 0, -1))
    assert (found[..., 6:] == (*threads, *blocks)).all()


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_barriers_count(run: Any, random: np.random.Generator, share: float):
    predicates = (random.random(70) < share).astype(i32) * 4
    counts = np.empty((70, 3), i32)
    run("counted_barriers", predicates, counts, block=70)
    assert (counts == (np.count_nonzero(predicates), predicates.any(), predicates.all())).all()


@pytest.mark.parametrize("width", [32, 16, 8])
@pytest.mark.parametrize("argument", [0, 1, 5, 12])
def test_shuffles(run: Any, random: np.random.Generator, width: int, argument: int):
    x = random.standard_normal(64, np.float32)
    y = np.empty((4, 64), np.float32)
    run("shuffles", x, y, i32(argument), i32(width), block=64)
    lane = np.arange(64)
    first, place = lane // width * width, lane % width
    sources = [argument % width + 0 * lane, place ^ argument, place - argument, place + argument]
    for found, source in zip(y, sources):
        there = (source >= 0) & (source < width)
        np.testing.assert_array_equal(found, np.where(there, x[(first + source) % 64], x))


def test_shuffle_of_doubles_from_any_lane(run: Any, random: np.random.Generator):
    source, x, y = random.integers(0, 32, 32, i32), random.standard_normal(32), np.empty(32)
    run("gathered", source, x, y)
    np.testing.assert_array_equal(y, x[source])


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_votes_of_the_lanes_of_a_mask(run: Any, random: np.random.Generator, share: float):
    predicates, found = (random.random(64) < share).astype(i32) * 8, np.empty((64, 3), np.uint32)
    run("votes", predicates, found, block=64)
    for i in range(64):
        voters = [lane for lane in range(32) if lane % 3 == i % 32 % 3]
        mine = predicates[i // 32 * 32 + np.array(voters)] != 0
        assert tuple(found[i]) == (sum(1 << lane for lane, vote in zip(voters, mine) if vote), mine.any(), mine.all())


def test_atomics_of_integers(run: Any, random: np.random.Generator):
    x = random.integers(-1000, 1000, 150, i32)
    start = np.array([3, 5, -7, 9, 0b1010, -1, 0], i32)
    totals, old = start.copy(), np.zeros((150, 7), i32)
    run("integer_atomics", x, totals, old, i32(150), grid=3, block=64)
    ufuncs = (np.add, np.subtract, np.maximum, np.minimum, np.bitwise_or, np.bitwise_and, np.bitwise_xor)
    for i, ufunc in enumerate(ufuncs):
        expected = start[i] - x.sum() if ufunc is np.subtract else ufunc(start[i], ufunc.reduce(x))
        assert totals[i] == expected
    steps = np.sort(np.append(old[:, 0], totals[0]))  # every value in between was found by one thread
    assert np.array_equal(np.sort(np.append(old[:, 0] + x, start[0])), steps)


def test_atomics_of_other_types(run: Any, random: np.random.Generator):
    x = random.integers(-50, 50, 100).astype(np.float32)  # sums of these are exact in every order
    sums, precise, counts = np.zeros(3, np.float32), np.zeros(3), np.zeros(3, np.int64)
    chain = np.full(101, -1, i32)
    run("other_atomics", x, sums, precise, counts, chain, i32(100), grid=2, block=64)
    for i in range(3):
        assert sums[i] == precise[i] == x[i::3].sum()
    assert tuple(counts) == (34, 33, 33)
    assert sorted(chain) == list(range(-1, 100))


def test_compare_and_swap(run: Any, random: np.random.Generator):
    x = random.standard_normal(100, np.float32)
    largest = np.array(-1e30, np.float32)
    run("compare_and_swap", x, largest.view(i32).reshape(1), i32(100), grid=2, block=64)
    assert largest == x.max()


def test_vectors(run: Any, random: np.random.Generator):
    x, y = random.standard_normal((20, 4), np.float32), np.empty((20, 4), np.float32)
    given, reversed_ = random.integers(0, 256, (20, 4), np.uint8), np.empty((20, 4), np.uint8)
    run("vectors", x, y, given, reversed_, block=20)
    np.testing.assert_array_equal(y, x[:, ::-1])
    np.testing.assert_array_equal(reversed_, given[:, ::-1])


def test_vectors_lie_as_on_a_gpu(run: Any):
    sizes = np.empty(14, i32)
    run("layouts", sizes, block=1)
    assert sizes.reshape(7, 2).tolist() == [[8, 8], [12, 4], [16, 16], [4, 4], [8, 8], [16, 16], [32, 16]]


@pytest.mark.parametrize("shape", [(8, 8), (13, 21), (1, 9)])
def test_static_and_dynamic_shared_memory(run: Any, random: np.random.Generator, shape: tuple[int, int]):
    rows, columns = shape
    x = random.integers(-9, 9, shape).astype(np.float32)
    grid = -(-columns // 8), -(-rows // 8)
    transposed, sums = np.empty((columns, rows), np.float32), np.empty((rows, grid[0]), np.float32)
    run("tiles", x, transposed, sums, i32(rows), i32(columns), grid=grid, block=(8, 8), shared_bytes=256)
    np.testing.assert_array_equal(transposed, x.T)
    np.testing.assert_array_equal(sums.sum(1), x.sum(1))


@both_builds
def test_all_of_a_hopper_shared_memory(mode: str):
    found = np.zeros(1, i32)
    launch("language.cu", "dynamic_size", found, i32(29056), block=1, shared_bytes=232448, mode=mode)
    assert found == 29056


@both_builds
def test_functions(mode: str, random: np.random.Generator):
    x = random.uniform(0.1, 9, 32).astype(np.float32)
    y = np.empty((16, 32), np.float32)
    launch("language.cu", "functions", x, y, i32(32), mode=mode)
    v = x.astype(np.float64)
    expected = [np.exp(v), np.log(v), v**-0.5, 1 / v, 1 / v, v**0.5, v + 1, v * v, v - 1, v * v + 1, v / 3, v**1.5]
    expected += [np.rint(v), np.floor(v), np.minimum(v, 1), np.maximum(v, 1)]
    np.testing.assert_allclose(y, np.array(expected, np.float32), rtol=3e-7, atol=1e-7)


@both_builds
def test_smaller_and_larger_of_a_nan(mode: str):
    x, y = np.full(1, np.nan, np.float32), np.empty((16, 1), np.float32)
    launch("language.cu", "functions", x, y, i32(1), mode=mode, block=1)
    assert y[14] == y[15] == 1  # as fminf and fmaxf


@both_builds
def test_bits(mode: str):
    x = np.array([0, 1, -1, 5, 7, 1 << 20, -(1 << 31), 12345678], i32)
    y = np.empty((8, len(x)), np.uint32)
    launch("language.cu", "bits", x, y, i32(len(x)), mode=mode)
    for i, value in enumerate(x.tolist()):
        bits = value % 2**32
        expected = [bits.bit_count(), 32 - bits.bit_length(), (bits & -bits).bit_length(), bits * 0x9E3779B9 >> 32]
        expected += [min(value, 5) % 2**32, max(value, 5), max(bits, 7), bits]
        assert y[:, i].tolist() == expected


@both_builds
def test_numbers_of_every_type(mode: str):
    given = (i32(-5), np.uint32(2**32 - 1), np.int64(-(2**40)), np.float32(0.5), np.float64(0.1), np.uint8(255))
    y = np.empty(7)
    launch("language.cu", "numbers", *given, np.uint16(65535), y, mode=mode, block=1)
    assert y.tolist() == [-5, 2**32 - 1, -(2**40), 0.5, 0.1, 255, 65535]
