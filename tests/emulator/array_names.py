"""What CuPy 14 has, and kernels and layers may use: anything else fails in the emulator as it would on a GPU.

Each name is checked against CuPy where it is installed (test_arrays.py).
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


METHODS = _names("""
    all any argmax argmin argsort astype clip copy cumprod cumsum diagonal dot fill flatten max mean min nonzero
    prod ravel repeat reshape round sort squeeze std sum swapaxes take trace transpose var view
""")
FUNCTIONS = _names("""
    all allclose amax amin any append argmax argmin argsort around array_equal array_split atleast_1d atleast_2d
    average bincount broadcast_arrays broadcast_to can_cast clip column_stack concatenate copy copyto
    count_nonzero cumprod cumsum diag diff dot einsum empty_like expand_dims flip full_like hstack isclose isin
    max may_share_memory mean min moveaxis nan_to_num ndim nonzero ones_like outer pad percentile prod
    put_along_axis quantile ravel repeat reshape result_type roll rollaxis rot90 round searchsorted shape
    shares_memory size sort split squeeze stack std sum swapaxes take take_along_axis tensordot tile trace
    transpose tril triu unique var vdot vstack where zeros_like
""")
UFUNCS = _names("""
    abs absolute add arccos arcsin arctan arctan2 bitwise_and bitwise_or bitwise_xor cbrt ceil copysign cos cosh
    deg2rad divide divmod equal exp exp2 expm1 fabs float_power floor floor_divide fmax fmin fmod greater
    greater_equal hypot invert isfinite isinf isnan left_shift less less_equal log log10 log1p log2 logaddexp
    logical_and logical_not logical_or logical_xor matmul maximum minimum mod multiply negative not_equal positive
    power reciprocal remainder right_shift rint sign signbit sin sinh sqrt square subtract tan tanh true_divide
    trunc
""")
CREATION = _names("""
    arange empty eye full identity linspace ones zeros
""")
CONSTANTS = _names("""
    bool_ dtype e euler_gamma finfo float16 float32 float64 iinfo inf int16 int32 int64 int8 intp nan newaxis pi
    uint16 uint32 uint64 uint8
""")
REFUSED_OPTIONS = frozenset({"device", "initial", "like", "max", "min", "subok", "where"})
BOOLEANS_OF_ARRAYS = frozenset({"allclose", "array_equal", "count_nonzero"})  # NumPy gives a number of Python
