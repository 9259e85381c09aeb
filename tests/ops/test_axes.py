"""Operations along one axis and three are those of images, seen another way."""

import numpy as np
import pytest

from minicnn import Tensor, ops

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape)


def spread(w: np.ndarray, gaps: tuple[int, int, int]) -> np.ndarray:
    """A kernel (KD,KH,KW,C,F) with zeros between its taps: what dilation means."""
    taps = [(size - 1) * gap + 1 for size, gap in zip(w.shape, gaps)]
    wide = np.zeros((*taps, *w.shape[3:]))
    wide[:: gaps[0], :: gaps[1], :: gaps[2]] = w
    return wide


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("gaps", [(1, 1, 1), (3, 1, 2), (2, 2, 1)])
def test_a_dilated_convolution_of_volumes_is_one_with_zeros_between_the_taps(padding, gaps):
    x, w, b = Tensor(drawn(2, 5, 6, 4, 3)), drawn(2, 3, 2, 3, 4), Tensor(drawn(4))
    found = ops.conv3d(x, Tensor(w), b, padding=padding, dilation=gaps)
    np.testing.assert_allclose(found.numpy(), ops.conv3d(x, Tensor(spread(w, gaps)), b, padding=padding).numpy())


def test_a_volume_of_one_frame_is_an_image():
    x, w, b = drawn(2, 1, 6, 5, 4), drawn(1, 3, 2, 2, 6), Tensor(drawn(6))
    window = {"strides": 2, "padding": "same", "groups": 2, "activation": "relu"}
    found = ops.conv3d(Tensor(x), Tensor(w), b, **window).numpy()
    np.testing.assert_allclose(found[:, 0], ops.conv2d(Tensor(x[:, 0]), Tensor(w[0]), b, **window).numpy())
    for pool, image in ((ops.maxpool3d, ops.maxpool2d), (ops.avgpool3d, ops.avgpool2d)):
        found = pool(Tensor(x), (1, 3, 2), 2, "same").numpy()
        np.testing.assert_allclose(found[:, 0], image(Tensor(x[:, 0]), (3, 2), 2, "same").numpy())


def test_a_row_is_an_image_of_one_pixel_in_height():
    x, w, b = drawn(2, 9, 4), drawn(3, 2, 6), Tensor(drawn(6))
    found = ops.conv1d(Tensor(x), Tensor(w), b, 2, (2, 1), groups=2).numpy()
    image = ops.conv2d(Tensor(x[:, None]), Tensor(w[None]), b, (1, 2), ((0, 0), (2, 1)), groups=2).numpy()
    np.testing.assert_array_equal(found, image[:, 0])


def test_an_output_of_a_causal_convolution_sees_no_later_step():
    x, w = drawn(1, 9, 2), Tensor(drawn(3, 2, 4))
    later = x.copy()
    later[:, 5:] += 1
    first, second = (ops.conv1d(Tensor(a), w, padding="causal", dilation=2).numpy() for a in (x, later))
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert (first[:, 5:] != second[:, 5:]).any(axis=2).all()
