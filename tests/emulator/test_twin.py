"""The twin of kernels/include/ptx.cuh against NumPy, from the tables of the PTX ISA, which are written out here anew.

They are in "Warp Level Matrix Multiply-Accumulate Instructions": "Matrix Fragments for mma.m16n8k8" and "mma.m16n8k16",
and ldmatrix.  What a real tensor core does with the same registers is compared by the tests that need a GPU.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from minicnn.kernels._gpu.source import INCLUDE

from .build import SHIM
from .launching import launch

pytestmark = pytest.mark.cuda_emulated
both_builds = pytest.mark.parametrize("mode", ["fast", "checked"])
LANES = np.arange(32)
GROUP, IN_GROUP = LANES // 4, LANES % 4  # groupID and threadID_in_group of the tables


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


# ---- numbers --------------------------------------------------------------------------------------------------------


def special_floats() -> np.ndarray:
    """Every exponent with fractions about each tie of 10 and of 7 bits, both signs; zeros, infinities, NaN."""
    fractions = {tie + step for bits in (13, 16) for tie in (0, 1 << bits - 1, 3 << bits - 1) for step in (-1, 0, 1)}
    fractions |= {(1 << 23) - 1, (1 << 23) - (1 << 12), (1 << 23) - (1 << 15), 0x2AAAAA}
    exponents = np.arange(256, dtype=np.uint32)[:, None] << 23
    bits = (exponents | np.array(sorted(f for f in fractions if f >= 0), np.uint32)).ravel()
    return np.concatenate([bits, bits | 0x80000000]).astype(np.uint32).view(np.float32)


def rounded_to_even(x: np.ndarray, bits: int) -> np.ndarray:
    """Finite floats without their last `bits` bits of fraction: the nearest; of two, the even one."""
    step = np.ldexp(1.0, np.maximum(np.frexp(x.astype(np.float64))[1] - 24, -149) + bits)
    with np.errstate(over="ignore"):
        return (np.rint(x / step) * step).astype(np.float32)


def rounded_away(x: np.ndarray, bits: int) -> np.ndarray:
    """The same; of two, the one farther from zero."""
    step = np.ldexp(1.0, np.maximum(np.frexp(x.astype(np.float64))[1] - 24, -149) + bits)
    with np.errstate(over="ignore"):
        return (np.copysign(np.floor(np.abs(x) / step + 0.5), x) * step).astype(np.float32)


@pytest.fixture(params=["fast", "checked"])
def converted(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Special floats, and the bits of each as TF32, bfloat16 and half, and of pairs of the latter."""
    x = special_floats()
    y = np.zeros((5, len(x)), np.uint32)
    launch("twin.cu", "conversions", x, y, np.int32(len(x)), grid=-(-len(x) // 256), block=256, mode=request.param)
    return x, y


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal in all bits, signs of zeros included; NaN is NaN, whichever."""
    assert found.dtype == expected.dtype
    same = (found == expected) & (np.signbit(found) == np.signbit(expected))
    same |= np.isnan(found) & np.isnan(expected)
    assert same.all()


def test_special_floats_have_all_kinds():
    x = special_floats()
    tiny = np.finfo(np.float32).tiny
    for kind in (np.isnan(x), np.isposinf(x), np.isneginf(x), x == 0, (np.abs(x) < tiny) & (x != 0)):
        assert kind.any()


def test_tf32_is_nearest_with_ties_away(converted: tuple[np.ndarray, np.ndarray]):
    x, y = converted
    assert not (y[0] & 0x1FFF)[~np.isnan(x)].any()
    assert_same(y[0].view(np.float32), np.where(np.isfinite(x), rounded_away(np.nan_to_num(x), 13), x))


def test_bfloat16_is_nearest_with_ties_to_even(converted: tuple[np.ndarray, np.ndarray]):
    x, y = converted
    found = (y[1] << 16).view(np.float32)
    assert_same(found, np.where(np.isfinite(x), rounded_to_even(np.nan_to_num(x), 16), x))


def test_half_is_numpys(converted: tuple[np.ndarray, np.ndarray]):
    x, y = converted
    with np.errstate(over="ignore"):
        assert_same(y[2].astype(np.uint16).view(np.float16), x.astype(np.float16))


def test_two_numbers_of_16_bits_lie_in_one_register(converted: tuple[np.ndarray, np.ndarray]):
    x, y = converted
    for one, two in ((y[1], y[3]), (y[2], y[4])):
        number = ~np.isnan(x)
        np.testing.assert_array_equal(two & 0xFFFF, one)
        np.testing.assert_array_equal((two >> 16)[number], (one ^ 0x8000)[number])


@both_builds
def test_all_numbers_of_16_bits_as_floats(mode: str):
    y = np.empty((2, 65536), np.float32)
    launch("twin.cu", "all_of_16_bits", y, grid=64, block=1024, mode=mode)
    bits = np.arange(65536, dtype=np.uint32)
    assert_same(y[0], (bits << 16).view(np.float32))
    assert_same(y[1], bits.astype(np.uint16).view(np.float16).astype(np.float32))


# ---- tensor cores ---------------------------------------------------------------------------------------------------


def tf32_bits(x: np.ndarray) -> np.ndarray:
    return rounded_away(x, 13).view(np.uint32)


def bfloat16_bits(x: np.ndarray) -> np.ndarray:
    return (rounded_to_even(x, 16).view(np.uint32) >> 16).astype(np.uint16)


def half_bits(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).view(np.uint16)


def fragments_of_tf32(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a (16,8), registers a0 to a3; of b (8,8), registers b0 and b1."""
    rows, columns = (GROUP, GROUP + 8, GROUP, GROUP + 8), (IN_GROUP, IN_GROUP, IN_GROUP + 4, IN_GROUP + 4)
    left = [a[row, column] for row, column in zip(rows, columns)]
    return np.stack(left, 1), np.stack([b[IN_GROUP, GROUP], b[IN_GROUP + 4, GROUP]], 1)


def fragments_of_16_bits(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a (16,16), elements a0 to a7; of b (16,8), elements b0 to b3: two in each register, the first one low."""
    left, right = np.empty((32, 8), np.uint16), np.empty((32, 4), np.uint16)
    for i in range(8):
        row = GROUP if i in (0, 1, 4, 5) else GROUP + 8
        column = IN_GROUP * 2 + (i & 1) + (0 if i < 4 else 8)
        left[:, i] = a[row, column]
    for i in range(4):
        row = IN_GROUP * 2 + (i & 1) + (0 if i < 2 else 8)
        right[:, i] = b[row, GROUP]
    return left.view("<u4"), right.view("<u4")


def matrix_of_sums(d: np.ndarray) -> np.ndarray:
    """The (16,8) matrix of registers c0 to c3."""
    c = np.full((16, 8), np.nan, np.float32)
    for i in range(4):
        c[GROUP if i < 2 else GROUP + 8, IN_GROUP * 2 + (i & 1)] = d[:, i]
    return c


def registers_of_sums(c: np.ndarray) -> np.ndarray:
    return np.stack([c[GROUP if i < 2 else GROUP + 8, IN_GROUP * 2 + (i & 1)] for i in range(4)], 1)


MMA = {
    "mma_tf32": (8, tf32_bits, fragments_of_tf32, lambda bits: bits.view(np.float32)),
    "mma_bfloat16": (16, bfloat16_bits, fragments_of_16_bits, lambda bits: (bits.astype("u4") << 16).view(np.float32)),
    "mma_half": (16, half_bits, fragments_of_16_bits, lambda bits: bits.view(np.float16)),
}


@both_builds
@pytest.mark.parametrize("name", MMA)
def test_mma_is_a_product_of_matrices(name: str, mode: str, random: np.random.Generator):
    depth, bits_of, fragments, number = MMA[name]
    shapes = (3, 16, depth), (3, depth, 8), (3, 16, 8)  # for each of three warps
    a, b, c = (random.standard_normal(shape, np.float32) for shape in shapes)
    a, b = bits_of(a), bits_of(b)
    left, right = map(np.stack, zip(*map(fragments, a, b)))
    d = np.stack([*map(registers_of_sums, c)])
    launch("twin.cu", f"{name}_of_registers", d, left.astype(np.uint32), right.astype(np.uint32), block=96, mode=mode)
    expected = c + number(a).astype(np.float64) @ number(b).astype(np.float64)
    found = np.stack([*map(matrix_of_sums, d)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=(depth + 1) * 2**-24 * 8)


@both_builds
def test_mma_of_tf32_sees_no_more_than_its_bits(mode: str):
    ones = np.full((32, 4), 0x3F801FFF, np.uint32)  # 1, and what lies below TF32's last bit
    d = np.zeros((32, 4), np.float32)
    launch("twin.cu", "mma_tf32_of_registers", d, ones, ones[:, :2].copy(), mode=mode)
    assert (d == 8).all()


@both_builds
def test_ldmatrix(mode: str, random: np.random.Generator):
    x = random.integers(0, 65536, (4, 8, 8), np.uint16)
    d = np.zeros((2, 32, 4), np.uint32)
    launch("twin.cu", "matrices", x, d, mode=mode)
    for lane in range(32):
        for i in range(4):
            straight, turned = x[i, lane // 4, lane % 4 * 2 :][:2], x[i, lane % 4 * 2 :, lane // 4][:2]
            assert d[0, lane, i] == int(straight[0]) | int(straight[1]) << 16
            assert d[1, lane, i] == int(turned[0]) | int(turned[1]) << 16


@both_builds
def test_ldmatrix_gives_what_mma_takes(mode: str, random: np.random.Generator):
    a, b = (random.integers(-8, 8, shape).astype(np.float16) for shape in ((16, 16), (16, 8)))
    c = np.zeros((16, 8), np.float32)
    launch("twin.cu", "product_of_halves", a.view(np.uint16), b.view(np.uint16), c, mode=mode)
    np.testing.assert_array_equal(c, a.astype(np.float32) @ b.astype(np.float32))


# ---- copies ---------------------------------------------------------------------------------------------------------


@both_builds
@pytest.mark.parametrize("bytes_from", [0, 4, 8, 12, 16])
def test_copies_of_all_sizes_fill_up_with_zeros(mode: str, bytes_from: int, random: np.random.Generator):
    x = random.standard_normal((32, 4), np.float32)
    y = np.full((4, 32, 4), np.nan, np.float32)
    launch("twin.cu", "copies", x, y, np.int32(bytes_from), np.int32(32), shared_bytes=4 * 512, mode=mode)
    expected = np.where(np.arange(4) < bytes_from // 4, x, 0)
    assert (y == expected).all()


# ---- the two files --------------------------------------------------------------------------------------------------


def declared(path: Path, macro: str) -> dict[str, tuple[str, list[str]]]:
    """The functions that a file declares with a macro: by name, the result, and the parameters' types."""
    text = re.sub(r"//[^\n]*", "", path.read_text())
    found = {}
    for template, result, name, parameters in re.findall(
        rf"^(template <[^>]*> )?{macro} ([\w ]+?) (\w+)\(([^{{]*)\) \{{", text, re.MULTILINE
    ):
        found[name] = (
            template + result,
            [re.sub(r"\b\w+\b(?=\)?(\[|$))", "", part.strip()) for part in parameters.split(",")],
        )
    return found


def test_both_files_declare_the_same_functions():
    real = declared(INCLUDE / "ptx.cuh", "PTX")
    twin = declared(SHIM / "ptx.cuh", "PTX") | declared(SHIM / "halves.h", "static __forceinline__")
    assert len(real) >= 15
    assert {name: twin.get(name) for name in real} == real
    public = re.sub(
        r"namespace emulator \{.*?\n\}  // namespace emulator", "", (SHIM / "ptx.cuh").read_text(), flags=re.DOTALL
    )
    assert set(re.findall(r"^(?:template <[^>]*> )?PTX [\w ]+? (\w+)\(", public, re.MULTILINE)) <= set(real)


def test_every_function_is_tested_here():
    tested = (Path(__file__).parent / "kernels" / "twin.cu").read_text()
    assert all(re.search(rf"\b{name}\b[(<)]", tested) for name in declared(INCLUDE / "ptx.cuh", "PTX"))
