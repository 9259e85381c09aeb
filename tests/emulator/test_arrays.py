"""Arrays of the emulated device are as particular as CuPy's; what they say here is what CuPy says on a GPU."""

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .array_names import CONSTANTS, CREATION, FUNCTIONS, METHODS, UFUNCS
from .arrays import NAME, ArrayModule, EmulatedArray

pytestmark = pytest.mark.cuda_emulated
xp = ArrayModule()
HOST = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def x() -> EmulatedArray:
    return xp.array(HOST)


def same(found: Any, expected: Any) -> bool:
    """A result of the device that is NumPy's in values, dtype and shape."""
    expected = np.asarray(expected)
    return (
        isinstance(found, EmulatedArray)
        and found.dtype == expected.dtype
        and found.shape == expected.shape
        and np.array_equal(found.get(), expected)
    )


# ---- company --------------------------------------------------------------------------------------------------------

MIXED: dict[str, Callable[[Any, np.ndarray], Any]] = {
    "sum": lambda x, h: x + h,
    "reflected": lambda x, h: h * x,
    "in place": lambda x, h: x.__iadd__(h),
    "of no axes": lambda x, h: x - np.array(1, np.float32),
    "comparison": lambda x, h: x < h,
    "ufunc": lambda x, h: np.maximum(x, h),
    "result": lambda x, h: np.exp(x, out=h),
    "concatenate": lambda x, h: np.concatenate([x, h]),
    "where": lambda x, h: np.where(x > 1, x, h),
    "keyword": lambda x, h: np.clip(x, a_min=h, a_max=None),
    "dot": lambda x, h: x.dot(h.T),
    "take": lambda x, h: x.take(h.astype(int)),
    "method's result": lambda x, h: x.sum(axis=0, out=h[0]),
    "assignment": lambda x, h: x.__setitem__(0, h[0]),
    "copyto": lambda x, h: np.copyto(x, h),
    "function of xp": lambda x, h: xp.exp(h),
    "reduction of xp": lambda x, h: xp.sum(h),
    "like": lambda x, h: xp.zeros_like(h),
}


@pytest.mark.parametrize("name", MIXED)
def test_arrays_of_the_host_are_no_company(x: EmulatedArray, name: str):
    host = HOST.copy()
    with pytest.raises(TypeError, match="Unsupported type"):
        MIXED[name](x, host)
    assert same(x, HOST)
    np.testing.assert_array_equal(host, HOST)


class Stranger:
    """What computes by itself, as tensors do, and NumPy can read."""

    def __init__(self, priority: float):
        self.__array_priority__ = priority

    def __radd__(self, other: Any) -> str:
        return "mine"

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return HOST


def test_an_operator_is_left_to_what_has_a_higher_priority(x: EmulatedArray):
    assert x + Stranger(101) == "mine"
    with pytest.raises(TypeError, match="Unsupported type"):
        x + Stranger(100)  # CuPy's own
    with pytest.raises(TypeError, match="Unsupported type"):
        xp.add(x, Stranger(101))


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "asarray": np.asarray,
    "array": np.array,
    "asanyarray": np.asanyarray,
    "ascontiguousarray": np.ascontiguousarray,
    "dtype": lambda x: np.asarray(x, np.float64),
    "number": np.float32,
    "into an array": lambda x: HOST.copy().__setitem__(slice(None), x),
    "list": lambda x: np.array([x[0], x[1]]),
    "testing": lambda x: np.testing.assert_array_equal(x, x),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_nothing_becomes_an_array_of_the_host_by_itself(x: EmulatedArray, name: str):
    with pytest.raises(TypeError, match=r"Implicit conversion to a NumPy array is not allowed. Please use `\.get\(\)`"):
        CONVERSIONS[name](x)


def test_it_is_no_array_of_numpy(x: EmulatedArray):
    assert not isinstance(x, np.ndarray)
    assert isinstance(x, xp.ndarray)
    assert x.minicnn_device == NAME


def test_index_may_be_of_the_host_as_with_cupy(x: EmulatedArray):
    assert same(x[np.array([2, 0])], HOST[[2, 0]])
    assert same(x[HOST > 5], HOST[HOST > 5])
    assert same(x[xp.array([2, 0])], HOST[[2, 0]])
    assert same(x[[2, 0]], HOST[[2, 0]])


# ---- what CuPy lacks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [np.nanmedian, np.linalg.norm, np.fft.fft, np.histogram2d, np.apply_along_axis, np.frexp, np.add.reduce],
    ids=lambda call: getattr(call, "__name__", str(call)),
)
def test_functions_that_the_list_lacks_are_refused_by_name(x: EmulatedArray, call: Callable):
    arguments = (np.sum, 0, x) if call is np.apply_along_axis else (x,)
    with pytest.raises(TypeError, match=getattr(call, "__name__", "reduce")):
        call(*arguments)


@pytest.mark.parametrize(
    "name", ["random", "linalg", "nditer", "errstate", "frombuffer", "ndindex", "vectorize", "float128"]
)
def test_names_that_the_module_lacks(name: str):
    with pytest.raises(AttributeError, match=name):
        getattr(xp, name)


@pytest.mark.parametrize("name", ["ctypes", "setflags", "__array_interface__", "resize", "getfield"])
def test_attributes_that_the_array_lacks(x: EmulatedArray, name: str):
    with pytest.raises(AttributeError, match=name):
        getattr(x, name)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.zeros_like(x, subok=False),
        lambda x: xp.empty_like(x, subok=False),
        lambda x: x.astype(np.float64, subok=False),
        lambda x: np.exp(x, where=x > 1),
        lambda x: x.sum(where=x > 1),
        lambda x: np.max(x, initial=0),
        lambda x: np.clip(x, min=0, max=1),
        lambda x: xp.zeros(3, like=x),
    ],
)
def test_arguments_that_cupy_has_not(x: EmulatedArray, call: Callable):
    with pytest.raises(TypeError, match="CuPy has no argument"):
        call(x)


def test_flags_say_nothing_of_writing(x: EmulatedArray):
    assert (x.flags.c_contiguous, x.flags.f_contiguous, x.flags.owndata) == (True, False, True)
    assert (x.T.flags.c_contiguous, x.T.flags.f_contiguous, x.T.flags.owndata) == (False, True, False)
    assert not x[:, ::2].flags.c_contiguous
    with pytest.raises(AttributeError):
        _ = x.flags.writeable
    with pytest.raises(AttributeError):
        x.flags.writeable = False  # pyright: ignore
    with pytest.raises(AttributeError):
        x.shape = (12,)  # pyright: ignore


def test_names_are_cupys():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed; its 14.2 had all names of array_names.py")
    assert not [name for name in FUNCTIONS | UFUNCS | CREATION | CONSTANTS if not hasattr(cupy, name)]
    assert not [name for name in METHODS if not hasattr(cupy.ndarray, name)]


def test_names_are_numpys():
    assert not [name for name in FUNCTIONS | UFUNCS | CREATION | CONSTANTS if not hasattr(np, name)]
    assert all(isinstance(getattr(np, name), np.ufunc) for name in UFUNCS)
    assert not any(isinstance(getattr(np, name), np.ufunc) for name in FUNCTIONS)


# ---- what it can ----------------------------------------------------------------------------------------------------

RESULTS: dict[str, Callable[[Any], Any]] = {
    "number": lambda x: x + 1,
    "reflected number": lambda x: np.float32(2) - x,
    "wider": lambda x: x * np.float64(0.5),
    "array": lambda x: x * x,
    "power": lambda x: x**2,
    "divided": lambda x: 1 / (x + 1),
    "matrices": lambda x: x @ x.T,
    "compared": lambda x: (x > 3) & ~(x > 6),
    "negative": lambda x: -x,
    "ufunc": lambda x: np.tanh(x),
    "two results": lambda x: np.divmod(x, 3)[1],
    "maximum": lambda x: np.maximum(x, 4),
    "dtype": lambda x: np.add(x, 1, dtype=np.float64),
    "row": lambda x: x[1],
    "one": lambda x: x[1, 2],
    "ellipsis": lambda x: x[..., 2],
    "new axis": lambda x: x[:, None],
    "steps": lambda x: x[::-2, 1:3],
    "astype": lambda x: x.astype(np.int32),
    "view": lambda x: x.view(np.int32),
    "reshape": lambda x: x.reshape(2, -1),
    "transpose": lambda x: x.transpose(1, 0),
    "T": lambda x: x.T,
    "sum": lambda x: x.sum(),
    "sums": lambda x: x.sum(axis=0, keepdims=True),
    "mean": lambda x: np.mean(x, axis=1),
    "largest": lambda x: np.max(x),
    "place": lambda x: x.argmax(axis=1),
    "any": lambda x: (x > 3).any(),
    "all": lambda x: np.all(x >= 0),
    "count": lambda x: np.count_nonzero(x > 3),
    "equal": lambda x: np.array_equal(x, x),
    "where": lambda x: np.where(x > 3, x, 0),
    "concatenate": lambda x: np.concatenate([x, x + 1], axis=1),
    "stack": lambda x: np.stack((x, x)),
    "split": lambda x: np.split(x, 2, axis=1)[1],
    "pad": lambda x: np.pad(x, ((1, 0), (0, 2))),
    "clip": lambda x: np.clip(x, 2, 5),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "tensordot": lambda x: np.tensordot(x, x, axes=([0], [0])),
    "broadcast_to": lambda x: np.broadcast_to(x[0], (2, 4)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "zeros_like": lambda x: np.zeros_like(x),
    "full_like": lambda x: np.full_like(x, 7, dtype=np.int64),
    "take": lambda x: np.take(x, 1, axis=1),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "isfinite": lambda x: np.isfinite(x),
    "infinite": lambda x: 1 / x,  # without a warning
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_numpys_and_of_the_device(x: EmulatedArray, name: str):
    with np.errstate(all="ignore"):
        expected = RESULTS[name](HOST)
    found = RESULTS[name](x)
    assert same(found, expected)
    assert same(x, HOST)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda x: xp.zeros((2, 3), np.int32), np.zeros((2, 3), np.int32)),
        (lambda x: xp.full(3, 2.5, xp.float32), np.full(3, 2.5, np.float32)),
        (lambda x: xp.arange(5), np.arange(5)),
        (lambda x: xp.eye(3), np.eye(3)),
        (lambda x: xp.asarray([1, 2.0]), np.array([1, 2.0])),
        (lambda x: xp.asarray(HOST, np.int32), HOST.astype(np.int32)),
        (lambda x: xp.ascontiguousarray(x.T), HOST.T),
        (lambda x: xp.sqrt(x), np.sqrt(HOST)),
        (lambda x: xp.abs(-x), HOST),
    ],
)
def test_module_makes_arrays_of_the_device(x: EmulatedArray, found: Callable, expected: np.ndarray):
    assert same(found(x), expected)


def test_new_memory_is_nan():
    for empty in (xp.empty((2, 3), np.float32), np.empty_like(xp.zeros((2, 3), np.float32)), xp.empty((), np.float64)):
        assert np.isnan(empty.get()).all()
    assert (xp.empty(3, np.int32).get() == -1).all()


def test_single_numbers_stay_on_the_device_until_they_are_asked_for(x: EmulatedArray):
    total = x.sum()
    assert total.shape == ()
    assert (float(total), int(total), bool(total), total.item(), f"{total:.1f}") == (66.0, 66, True, 66.0, "66.0")
    assert x[1, 2].item() == x.item(6) == 6
    assert x[0].tolist() == [0, 1, 2, 3]
    with pytest.raises(TypeError):
        range(x.argmax())  # CuPy's have no __index__
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)


def test_views_share_memory_and_copies_do_not(x: EmulatedArray):
    x[1][...] = 0
    x[0, 0][...] = 5
    x.T[3, 2] = 7
    x.reshape(-1)[1:3] += 10
    assert x.tolist() == [[5, 11, 12, 3], [0, 0, 0, 0], [8, 9, 10, 7]]
    assert np.may_share_memory(x, x[1:]) is True
    assert np.shares_memory(x, x.copy()) is False
    assert xp.asarray(x) is x
    assert xp.ascontiguousarray(x) is x
    host = HOST.copy()
    xp.asarray(host)[...] = 1
    x.get()[...] = 1
    assert x.tolist()[0] == [5, 11, 12, 3]
    np.testing.assert_array_equal(host, HOST)


def test_results_go_where_they_are_sent(x: EmulatedArray):
    out = xp.empty_like(x)
    assert np.exp(x, out=out) is out
    assert same(out, np.exp(HOST))
    row = xp.empty(4, np.float32)
    assert np.sum(x, axis=0, out=row) is row
    assert same(row, HOST.sum(0))
    before = x
    x += 1
    assert x is before
    assert same(x, HOST + 1)


def test_facts_about_an_array_are_of_the_host(x: EmulatedArray):
    assert (x.shape, x.ndim, x.size, x.itemsize, x.nbytes, x.strides) == ((3, 4), 2, 12, 4, 48, (16, 4))
    assert (len(x), np.shape(x), np.ndim(x), np.size(x)) == (3, (3, 4), 2, 12)
    assert np.result_type(x, np.float64) == np.float64
    assert np.can_cast(x.dtype, np.float64)
    assert [row.tolist() for row in x] == HOST.tolist()
    assert repr(x) == repr(HOST)


def test_setting_from_the_host_wants_the_same_shape_and_dtype(x: EmulatedArray):
    x.set(HOST + 1)
    assert same(x, HOST + 1)
    with pytest.raises(TypeError):
        x.set(HOST.astype(np.float64))
    with pytest.raises(ValueError):
        x.set(HOST[:2])


def test_copies_of_objects(x: EmulatedArray):
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        made += 1
        assert same(made, HOST + 1)
    assert same(x, HOST)


def test_a_gpu_does_not_warn(x: EmulatedArray):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan((x - x) / (x - x)).get().all()
