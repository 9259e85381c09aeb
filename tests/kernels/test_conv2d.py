"""What conv2d's rungs do beyond agreeing with the definition: what they refuse, and how they cut large sums."""

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels import conv2d
from minicnn.kernels._shapes import window_outputs
from minicnn.kernels.conv2d._choice import choose_weights

pytest.importorskip("numba")
WINOGRAD = [rung for rung in kernels.rungs("conv2d") if "winograd" in rung]


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


@pytest.mark.parametrize("rung", WINOGRAD)
@pytest.mark.parametrize(
    ("taps", "options"), [((3, 2), {}), ((5, 5), {}), ((3, 3), {"strides": 2}), ((3, 3), {"dilation": 2})]
)
def test_winograd_refuses_what_it_cannot_do(rung, taps, options):
    x, w = normal(1, 9, 9, 4), normal(*taps, 4, 4)
    with pytest.raises(UnsupportedError, match="3x3 kernels with stride 1"):
        conv2d.forward(x, w, **options, rung=rung)
    with pytest.raises(UnsupportedError, match="one group"):
        conv2d.forward(x, normal(3, 3, 2, 4), groups=2, rung=rung)
    if taps != (3, 3):
        with kernels.use("conv2d", rung=rung), pytest.raises(UnsupportedError, match="3x3 kernels"):
            conv2d.prepare(w, x.shape)


def test_a_prepared_kernel_runs_on_its_rung_alone():
    x, w = normal(1, 9, 9, 4), normal(3, 3, 4, 4)
    with kernels.use("conv2d", rung="v4_blocked"):
        prepared = conv2d.prepare(w, x.shape)
        y = conv2d.forward(x, prepared)
    np.testing.assert_array_equal(conv2d.forward(x, prepared), y)
    np.testing.assert_array_equal(conv2d.forward(x, w, rung="v4_blocked"), y)
    with pytest.raises(ArgumentError, match="prepared for rung v4_blocked and cannot run on v3_tiled: prepare it anew"):
        conv2d.forward(x, prepared, rung="v3_tiled")
    with kernels.use("conv2d", rung="reference"), pytest.raises(ArgumentError, match="cannot run on reference"):
        conv2d.forward(x, prepared)
    with pytest.raises(ArgumentError, match="prepared for groups=1, not 2: prepare it anew"):
        conv2d.forward(np.concatenate([x, x], axis=3), prepared, groups=2)


@pytest.mark.parametrize("rung", kernels.rungs("conv2d"))
def test_every_rung_takes_what_was_prepared_for_it(rung):
    x, w = normal(1, 6, 5, 4), normal(3, 3, 4, 6)
    with kernels.use("conv2d", rung=rung):
        y = conv2d.forward(x, conv2d.prepare(w, x.shape))
    np.testing.assert_allclose(y, conv2d.forward(x, w, rung="reference"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rung", WINOGRAD)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_reaches_every_output_that_meets_it(rung, value):
    x, w = normal(1, 12, 12, 3), normal(3, 3, 3, 40)
    x[0, 5, 5, 1] = value
    y = conv2d.forward(x, w, padding="same", rung=rung)
    met = ~np.isfinite(conv2d.forward(x.astype(np.float64), w.astype(np.float64), padding="same"))
    assert not np.isfinite(y[met]).any()
    assert np.isfinite(y[:, 10:, 10:]).all()


@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("channels", [5, 1024])
def test_long_sums_are_cut_and_taken_up_again(taps, channels, monkeypatch):
    from minicnn.kernels.conv2d import cpu_blocked

    monkeypatch.setattr(cpu_blocked, "DEPTH", 7 if channels == 5 else 300)
    x, w, bias = normal(2, 5, 9, channels), normal(taps, taps, channels, 35), normal(35)
    residual = normal(2, 5, 9, 35)
    options = {"padding": "same", "activation": "relu", "residual": residual}
    y = conv2d.forward(x, w, bias, **options, rung="v4_blocked")
    np.testing.assert_allclose(y, conv2d.forward(x, w, bias, **options, rung="v2_im2col"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", [384, 12, 4])
@pytest.mark.parametrize("width", range(11, 33, 3))
def test_rows_of_any_width_are_whole_tiles_or_end_in_one_that_begins_early(width, depth, monkeypatch):
    """At each depth a tile is left after all rows of the window, after some of them, and within one."""
    from minicnn.kernels.conv2d import cpu_tiled

    monkeypatch.setattr(cpu_tiled, "DEPTH", depth)
    x, w, bias = normal(2, 7, width, 3), normal(4, 2, 3, 40), normal(40)
    options = {"dilation": (2, 1), "padding": "same", "activation": "relu", "residual": normal(2, 7, width, 40)}
    y = conv2d.forward(x, w, bias, **options, rung="v3_tiled")
    np.testing.assert_allclose(y, conv2d.forward(x, w, bias, **options, rung="v2_im2col"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("rung", "side"), list(zip(WINOGRAD, (2, 4))))
@pytest.mark.parametrize("tiles", [*range(1, 18), 22, 30])
def test_any_number_of_tiles_is_multiplied_at_the_points(tiles, rung, side):
    x, w = normal(1, side, side * tiles, 5), normal(3, 3, 5, 35)
    y = conv2d.forward(x, w, padding="same", rung=rung)
    np.testing.assert_allclose(y, conv2d.forward(x, w, padding="same", rung="v2_im2col"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("rung", "channels", "filters", "groups", "options"),
    [
        ("v4_blocked", 6, 70, 2, {"strides": 2}),
        ("v4_blocked", 3, 5, 1, {"dilation": 2}),
        ("v4_blocked", 40, 33, 1, {}),
        ("v6_winograd_4", 3, 5, 1, {}),
        ("v6_winograd_4", 150, 70, 1, {"padding": "same"}),
    ],
)
def test_gradients_of_weights_over_many_pixels_are_added_from_slices(rung, channels, filters, groups, options):
    x = normal(3, 41, 38, channels)
    shape = (3, 3, channels // groups, filters)
    dy = normal(*conv2d.forward(x, np.zeros(shape, np.float32), **options, groups=groups).shape)
    exact = conv2d.backward_weights(x.astype(np.float64), dy.astype(np.float64), shape, **options, groups=groups)
    found = [conv2d.backward_weights(x, dy, shape, **options, groups=groups, rung=rung) for _ in range(2)]
    assert np.linalg.norm(found[0] - exact) < 1e-5 * np.linalg.norm(exact)
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("shape", "taps", "options", "rung"),
    [
        ((8, 56, 56, 64), (3, 3, 64, 64), {"padding": "same"}, "v6_winograd_4"),
        ((2, 2, 2, 512), (3, 3, 512, 512), {"padding": "same"}, "v4_blocked"),
        ((8, 56, 56, 3), (3, 3, 3, 64), {"padding": "same"}, "v4_blocked"),
        ((8, 56, 56, 64), (3, 3, 64, 64), {"strides": 2}, "v4_blocked"),
        ((1, 9, 9, 32), (1, 1, 32, 32), {}, "v4_blocked"),
    ],
)
def test_gradients_of_weights_are_taken_at_points_where_that_saves_time(shape, taps, options, rung):
    window = conv2d.check_window(
        "conv2d", shape, taps, options.get("strides", 1), options.get("padding", "valid"), 1, 1
    )
    outputs = shape[0], *window_outputs(shape[1:3], taps[:2], window, "conv2d"), taps[3]
    assert choose_weights(outputs, taps[:3], window) == rung
