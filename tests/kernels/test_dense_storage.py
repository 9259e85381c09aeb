"""Dense weights in fewer bits: what they are rounded to, that every rung reads them, and how far results may be off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rung_cases import assert_close, cases_of

from minicnn import kernels
from minicnn.errors import ArgumentError, DTypeError, UnsupportedError
from minicnn.kernels import dense

REDUCED = dense.STORAGES[1:]
SPECS = [s for s in kernels.specs() if (s.op, s.direction) == ("dense", "forward") and s.rung != "v4_tiled"]
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


def restored(w: np.ndarray, storage: str) -> np.ndarray:
    return dense.restored(dense.store(w, storage), np.dtype(np.float64))


@pytest.mark.numpy_only
@given(numbers=st.lists(FLOATS, min_size=1, max_size=20))
def test_bfloat16_is_the_nearest_and_of_two_the_even_one(numbers):
    w = np.array([numbers], np.float64)
    step = np.ldexp(1.0, np.maximum(np.frexp(w)[1] - 8, -133))
    expected = np.rint(w / step) * step  # to nearest even
    expected[np.abs(expected) >= 2.0**128] *= np.inf
    np.testing.assert_array_equal(restored(w.astype(np.float32), "bfloat16"), expected)


@pytest.mark.numpy_only
def test_bfloat16_of_ties_and_of_what_is_no_number():
    w = np.array([[1 + 2**-8, 1 + 3 * 2**-8, -0.0, np.inf, -np.inf, 3.4e38]], np.float32)
    np.testing.assert_array_equal(restored(w, "bfloat16"), [[1, 1 + 2**-6, -0.0, np.inf, -np.inf, np.inf]])
    nan = np.array([[0x7F800001, 0xFFFFFFFF, 0x7FFFFFFF]], np.uint32).view(np.float32)
    assert np.isnan(restored(nan, "bfloat16")).all()


@pytest.mark.numpy_only
@given(
    columns=st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=1, max_size=4),
    scale=st.sampled_from([1, 1e-30, 1e-44]),
)
def test_int8_is_at_most_half_a_step_away(columns, scale):
    w = (np.array(columns).T * scale).astype(np.float32)
    stored = dense.store(w, "int8")
    step = stored.scale.astype(np.float64)
    assert np.all(np.abs(restored(w, "int8") - w) <= step / 2 * (1 + 1e-12))
    assert np.all(step <= np.maximum(np.abs(w).max(0) / 127 * (1 + 1e-6), np.finfo(np.float32).tiny))


@pytest.mark.numpy_only
@pytest.mark.parametrize("w", [np.ones(3, np.float32), np.ones((2, 3, 4), np.float32), np.ones((2, 3), np.int32)])
@pytest.mark.parametrize("storage", dense.STORAGES)
def test_what_is_no_matrix_of_floats_is_not_stored(w, storage):
    with pytest.raises(ArgumentError, match=r"weights \(I,O\) of a float type are stored; not \("):
        dense.store(w, storage)


@pytest.mark.numpy_only
@pytest.mark.parametrize("storage", REDUCED)
def test_gradients_are_not_made_with_stored_weights(storage):
    with pytest.raises(ArgumentError, match="not with stored ones"):
        dense.backward_input(normal(2, 4), dense.store(normal(3, 4), storage))


@pytest.mark.numpy_only
def test_int8_of_a_column_that_is_not_finite_is_nan():
    w = np.ones((3, 4), np.float32)
    w[1, 1:] = np.nan, np.inf, -np.inf
    found = dense.forward(np.ones((2, 3), np.float32), dense.prepare(w, "int8"))
    np.testing.assert_allclose(found[:, 0], 3, rtol=1e-6)
    assert np.isnan(found[:, 1:]).all()


@pytest.mark.no_jit
@pytest.mark.parametrize("storage", REDUCED)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.rung)
@given(data=st.data())
def test_rung_reads_stored_weights(spec: kernels.KernelSpec, storage: str, data: st.DataObject):
    cases = cases_of(spec)
    case = {**data.draw(cases.cases()), "storage": storage}
    expected = cases.run(case, np.float64, "reference", "forward")
    assert_close(cases.run(case, np.float32, spec.rung, "forward"), expected, case, spec)


@pytest.mark.parametrize("storage", REDUCED)
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 1001, 5), (33, 70, 600), (70, 300, 7)])
def test_what_is_lost(rows, inputs, outputs, storage):
    x, w = normal(rows, inputs), normal(inputs, outputs)
    found, exact = dense.forward(x, dense.store(w, storage)), x.astype(np.float64) @ w
    if storage == "bfloat16":
        assert np.linalg.norm(found - exact) <= 1e-2 * np.linalg.norm(exact)
    half = np.abs(w).max(0) / 254 if storage == "int8" else np.abs(w) / 256
    rounding = np.abs(x) @ np.broadcast_to(half, w.shape)
    assert np.all(np.abs(found - exact) <= rounding * 1.001 + (inputs + 4) * 2.0**-24 * (np.abs(x) @ np.abs(w)))


@pytest.mark.parametrize("storage", REDUCED)
def test_a_row_does_not_depend_on_those_beside_it_or_on_threads(storage, same_threads_afterwards):
    x, residual, bias = normal(70, 1000), normal(70, 600), normal(600)
    w = dense.prepare(normal(1000, 600), storage)
    kernels.set_num_threads(1)
    y = dense.forward(x, w, bias, residual=residual, activation="relu")
    kernels.set_num_threads(3)
    np.testing.assert_array_equal(dense.forward(x, w, bias, residual=residual, activation="relu"), y)
    for part in (slice(0, 1), slice(31, 34), slice(60, 70)):
        own = dense.forward(x[part], w, bias, residual=residual[part], activation="relu")
        np.testing.assert_array_equal(own, y[part])


@pytest.mark.parametrize("rows", [1, 40])
def test_stored_weights_are_streamed_and_never_widened_in_memory(rows):
    w = dense.prepare(normal(50, 7), "int8")
    assert isinstance(w, dense.Stored)
    assert (w.data.dtype, w.data.shape, w.scale.shape) == (np.int8, (50, 7), (7,))
    with kernels.record() as calls:
        dense.forward(normal(rows, 50), w)
    assert calls == [("dense", "forward", "v3_stream")]
    with pytest.raises(UnsupportedError, match="v4_tiled reads weights in float32"):
        dense.forward(normal(rows, 50), w, rung="v4_tiled")


@pytest.mark.numpy_only
@pytest.mark.parametrize("storage", REDUCED)
def test_rungs_in_numpy_take_them_restored_once(storage):
    w = normal(5, 7)
    with kernels.use("dense", rung="v2_blas"):
        prepared = dense.prepare(w, storage)
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, dense.restored(dense.store(w, storage), w.dtype))
    assert dense.prepare(w.astype(np.float64), storage).dtype == np.float64


@pytest.mark.numpy_only
def test_refusals():
    w = normal(3, 4)
    assert dense.store(w, "float32") is w
    with pytest.raises(ArgumentError, match="one of float32, bfloat16, int8; not as 'int4'"):
        dense.store(w, "int4")
    with pytest.raises(DTypeError, match="one float dtype"):
        dense.forward(normal(2, 3), dense.store(w, "int8"), np.ones(4))
