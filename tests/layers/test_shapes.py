"""compute_output_shape says what call gives, for known and for unknown sizes; unfit inputs are refused by name."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_cases import CASES, NUMBERED

from minicnn import MinicnnError, layers
from minicnn.errors import ShapeError
from minicnn.layers import CLASSES, Input

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]


def with_batch(shape: Any, batch: Any) -> Any:
    return [(batch, *s) for s in shape] if isinstance(shape, list) else (batch, *shape)


def zeros(shape: Any) -> Any:
    return [np.zeros(s, np.float32) for s in shape] if isinstance(shape, list) else np.zeros(shape, np.float32)


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(("name", "index"), [case for case in NUMBERED if case[0] != "InputLayer"])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_cases(name: str, index: int, batch: int):
    arguments, shape = CASES[name][index]
    layer = CLASSES[name](**arguments)
    for y, own, any_batch in zip(
        several(layer(zeros(with_batch(shape, batch)))),
        several(layer.compute_output_shape(with_batch(shape, batch))),
        several(layer.compute_output_shape(with_batch(shape, None))),
        strict=True,
    ):
        assert y.shape == tuple(own)
        assert tuple(any_batch) == (None, *y.shape[1:])
        assert y.dtype == np.float32


@st.composite
def windows(draw: Any) -> tuple[str, dict[str, Any]]:
    """A layer with a window, or one that changes sides, with any arguments."""
    pair = st.tuples(st.integers(1, 4), st.integers(1, 4))
    sides = st.tuples(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.tuples(st.integers(0, 3), st.integers(0, 3)))
    window = {"strides": draw(pair), "padding": draw(st.sampled_from(["same", "valid"]))}
    dilated = draw(st.sampled_from([window, {"dilation_rate": draw(pair), "padding": window["padding"]}]))
    return draw(
        st.sampled_from(
            [
                ("Conv2D", {"filters": 3, "kernel_size": draw(pair), **dilated}),
                ("DepthwiseConv2D", {"kernel_size": draw(pair), "depth_multiplier": 2, **dilated}),
                ("SeparableConv2D", {"filters": 3, "kernel_size": draw(pair), **dilated}),
                ("Conv2DTranspose", {"filters": 3, "kernel_size": draw(pair), **window}),
                ("MaxPooling2D", {"pool_size": draw(pair), **window}),
                ("AveragePooling2D", {"pool_size": draw(pair), **window}),
                ("ZeroPadding2D", {"padding": draw(sides)}),
                ("Cropping2D", {"cropping": draw(sides)}),
                ("UpSampling2D", {"size": draw(pair)}),
            ]
        )
    )


@given(windows(), st.integers(1, 9), st.integers(1, 9))
def test_windows_of_any_size(drawn, height, width):
    """What fits has the shape that was foretold; what does not is refused when the model is described."""
    name, arguments = drawn
    layer = CLASSES[name](**arguments)
    expected = layer.compute_output_shape((2, height, width, 2))
    if min(expected) < 1:
        with pytest.raises(ShapeError, match=f"layer {layer.name}: an input of shape .* leaves an output of shape"):
            layer(Input((height, width, 2)))
        return
    assert layer(np.zeros((2, height, width, 2), np.float32)).shape == expected
    assert layer.compute_output_shape((None, None, width, 2)) == (None, None, *expected[2:])
    assert CLASSES[name](**arguments)(Input((height, width, 2))).shape == (None, *expected[1:])


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Flatten(), (None, None, 3), (None, None)),
        (layers.Reshape((-1, 3)), (None, None, 3), (None, None, 3)),
        (layers.Permute((3, 1, 2)), (None, 4, 3), (None, 3, None, 4)),
        (layers.GlobalAveragePooling2D(), (None, None, 3), (None, 3)),
        (layers.Dense(5), (None, 3), (None, None, 5)),
        (layers.PReLU(shared_axes=[1, 2]), (None, None, 3), (None, None, None, 3)),
        (layers.BatchNormalization(), (None, None, 3), (None, None, None, 3)),
        (layers.BatchNormalization(1), (3, None, None), (None, 3, None, None)),
        (layers.LayerNormalization([1, 2]), (4, 3, None), (None, 4, 3, None)),
        (layers.GroupNormalization(1), (None, None, 3), (None, None, None, 3)),
        (layers.Conv1D(5, 3, padding="causal"), (None, 3), (None, None, 5)),
        (layers.Conv3D(5, 3), (None, None, 8, 3), (None, None, None, 6, 5)),
        (layers.GlobalMaxPooling1D(), (None, 3), (None, 3)),
        (layers.Embedding(9, 5), (None,), (None, None, 5)),
        (layers.Resizing(4, 6), (None, None, 3), (None, 4, 6, 3)),
    ],
)
def test_unknown_sizes(layer, shape, expected):
    assert layer(Input(shape)).shape == expected


@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (layers.Add(), [(None, 4, 3), (2, 4, 3)], (None, 2, 4, 3)),
        (layers.Concatenate(), [(None, 4, 3), (2, 4, 5)], (None, None, 4, 8)),
        (layers.Concatenate(axis=1), [(None, 4, 3), (2, 4, 3)], (None, None, 4, 3)),
        (layers.Dot((2, 1)), [(None, 3), (3, 5)], (None, None, 5)),
    ],
)
def test_unknown_sizes_of_merges(layer, shapes, expected):
    assert layer([Input(shape) for shape in shapes]).shape == expected


IMAGE = Input((8, 8, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Conv2D(4, 3, name="c")(Input((8,))), r"layer c \(Conv2D\) takes inputs of 4 axes.*\(None, 8\)"),
        (lambda: layers.MaxPooling2D(name="p")(Input((8, 3))), r"layer p \(MaxPooling2D\) takes inputs of 4 axes"),
        (lambda: layers.Conv2D(4, 3, name="c")(Input((8, 8, None))), "layer c: the number of channels must be known"),
        (lambda: layers.Dense(4, name="d")(Input((None,))), "layer d: the number of channels must be known"),
        (lambda: layers.BatchNormalization(name="b")(Input((4, None))), "layer b: the number of channels"),
        (lambda: layers.BatchNormalization([1, 2], name="b")(IMAGE), "layer b: BatchNormalization over the axes"),
        (
            lambda: layers.LayerNormalization([0, 1], name="n")(IMAGE),
            "layer n: LayerNormalization over axis .* samples",
        ),
        (lambda: layers.LayerNormalization(1, name="n")(Input((None, 3))), "layer n: the number of channels must be"),
        (lambda: layers.GroupNormalization(2, name="g")(IMAGE), "layer g: 3 channels do not divide into 2 groups"),
        (lambda: layers.Conv1D(4, 3, name="c")(IMAGE), r"layer c \(Conv1D\) takes inputs of 3 axes"),
        (lambda: layers.Conv1D(4, 9, name="c")(Input((8, 3))), "layer c: an input of shape .* leaves an output"),
        (lambda: layers.Conv3D(4, 3, name="c")(IMAGE), r"layer c \(Conv3D\) takes inputs of 5 axes"),
        (lambda: layers.Cropping1D(4, name="c")(Input((8, 3))), "layer c: an input of shape .* leaves an output"),
        (lambda: layers.Dot(1, name="d")([IMAGE]), r"layer d \(Dot\) takes a list of two tensors"),
        (lambda: layers.Dot(1, name="d")([IMAGE, Input((7, 8, 3))]), r"layer d \(Dot\): .* have no product"),
        (lambda: layers.Dot(0, name="d")([IMAGE, IMAGE]), r"layer d \(Dot\): .* have no product"),
        (lambda: layers.RepeatVector(2, name="r")(IMAGE), r"layer r \(RepeatVector\) takes inputs of 2 axes"),
        (lambda: layers.Conv2D(4, 3, groups=2, name="c")(IMAGE), "layer c: 3 channels do not divide into 2 groups"),
        (lambda: layers.Conv2D(4, 9, name="c")(IMAGE), "layer c"),
        (lambda: layers.MaxPooling2D(9, name="p")(IMAGE), "layer p"),
        (lambda: layers.Cropping2D(4, name="c")(IMAGE), "layer c"),
        (lambda: layers.Conv2D(4, 3, name="c")([IMAGE, IMAGE]), r"layer c \(Conv2D\) takes one tensor or array; got 2"),
        (lambda: layers.Dense(4, name="d")([[1, 2], [3, 4]]), r"layer d \(Dense\) takes one tensor or array; got 2"),
        (lambda: layers.Add(name="a")(IMAGE), r"layer a \(Add\) takes a list of tensors"),
        (lambda: layers.Add(name="a")([IMAGE, Input((8, 7, 3))]), "layer a .* do not broadcast together"),
        (
            lambda: layers.Concatenate(name="j")([IMAGE, Input((7, 8, 3))]),
            "layer j: .* cannot be concatenated along axis 3",
        ),
        (
            lambda: layers.CustomScaleLayer(2, name="s")([np.ones((1, 2))] * 3),
            "CustomScaleLayer. takes two tensors; got 3",
        ),
        (lambda: layers.Subtract(name="s")([np.ones((1, 2))] * 3), "layer s: Subtract takes two inputs; got 3"),
        (lambda: layers.Reshape((5, 5), name="r")(Input((8,))), r"layer r: a sample of shape \(8,\) cannot become"),
        (lambda: layers.PReLU(name="p")(Input((None, 8, 3))), "layer p: PReLU needs a known size .* shared_axes"),
        (lambda: layers.Permute((2, 1), name="p")(IMAGE), r"layer p \(Permute\) takes inputs of 3 axes"),
    ],
)
def test_unfit_inputs_name_the_layer(call, message):
    with pytest.raises(MinicnnError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "Conv2D",
        "Dense",
        "DepthwiseConv2D",
        "SeparableConv2D",
        "Conv2DTranspose",
        "BatchNormalization",
        "GroupNormalization",
        "LayerNormalization",
    ],
)
@pytest.mark.parametrize("make", [lambda c: Input((6, 5, c)), lambda c: np.zeros((1, 6, 5, c), np.float32)])
def test_weights_are_for_one_number_of_channels(name, make):
    arguments, _ = CASES[name][0]
    layer = CLASSES[name](**arguments, name="it")
    layer(make(4))
    with pytest.raises(ShapeError, match=rf"layer it \({name}\) has weights for 4 channels; got shape .*6\)"):
        layer(make(6))
