"""Augmentation: what each step does, at zero strength, on odd pictures, and by its seed."""

import copy
import pickle
import random
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minicnn.data import augment
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.preparation.colour import turned_hue

PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))

NOTHING = [
    augment.Flip(0, 0),
    augment.PadCrop(0),
    augment.Rotate(0),
    augment.Zoom(0),
    augment.Shift(0),
    augment.ResizedCrop((1, 1), (1, 1)),
    augment.Brightness(0),
    augment.Contrast(0),
    augment.Saturation(0),
    augment.Hue(0),
    augment.Erase(0),
    augment.Erase(1, (0, 0)),
]
SOMETHING = [
    augment.Flip(0.5, 0.5),
    augment.PadCrop(3),
    augment.PadCrop(3, "reflect"),
    augment.Rotate(180),
    augment.Zoom(0.9, "wrap"),
    augment.Shift(1, "constant", 7),
    augment.ResizedCrop((0.05, 1)),
    augment.Brightness(1),
    augment.Contrast(1),
    augment.Saturation(1),
    augment.Hue(0.5),
    augment.Erase(1),
    augment.Erase(1, (1, 1), value=3),
]


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("step", NOTHING, ids=repr)
@given(image=PICTURES)
def test_nothing_changes_at_zero_strength(step, image):
    assert np.array_equal(step(image, generator()), image)


@pytest.mark.parametrize("step", SOMETHING, ids=repr)
@given(image=PICTURES, seed=st.integers(0, 2**32))
def test_any_picture_stays_one_of_its_size_and_the_given_one_stays_as_it_is(step, image, seed):
    before = image.copy()
    image.flags.writeable = False
    result = augment.Pipeline([step], seed)(image, 0)
    assert result.dtype == np.uint8
    assert result.shape == image.shape
    assert np.array_equal(image, before)


@pytest.mark.parametrize(
    ("strong", "weak"), [(augment.Brightness(1), 0.3), (augment.Contrast(1), 0.5), (augment.Saturation(1), 0.5)]
)
@given(image=PICTURES)
def test_what_leaves_0_to_255_is_cut_and_not_wrapped(strong, weak, image):
    """Twice the strength never reverses the direction in which a pixel moved."""
    x = image.astype(np.float32)
    little = strong.change(x, weak) - x
    much = strong.change(x, 2 * weak) - x
    assert (np.sign(little) * np.sign(much) >= 0).all()
    assert strong.change(x, 1.0).max() <= 255
    assert strong.change(x, -1.0).min() >= 0


@given(image=PICTURES)
def test_flips_are_involutions(image):
    for step in (augment.Flip(1, 0), augment.Flip(0, 1), augment.Flip(1, 1)):
        assert np.array_equal(step(step(image, generator()), generator()), image)
    assert np.array_equal(augment.Flip(1, 0)(image, generator()), image[:, ::-1])
    assert np.array_equal(augment.Flip(0, 1)(image, generator()), image[::-1])


@given(image=PICTURES)
def test_a_whole_turn_of_hue_is_none_and_a_third_changes_the_colours_round(image):
    x = image.astype(np.float32)
    assert np.allclose(turned_hue(x, 1), x, atol=1e-3)
    assert np.allclose(turned_hue(x, 1 / 3), x[..., [2, 0, 1]], atol=1e-2)


@given(image=PICTURES)
def test_without_saturation_every_pixel_is_grey(image):
    grey = augment.Saturation((-1, -1))(image, generator())
    assert (grey == image.max(-1, keepdims=True)).all()


@given(image=PICTURES, seed=st.integers(0, 999))
def test_a_crop_is_a_part_of_the_picture(image, seed):
    height, width = 1 + seed % image.shape[0], 1 + seed % image.shape[1]
    part = augment.RandomCrop((height, width))(image, generator(seed))
    places = [
        np.array_equal(image[top : top + height, left : left + width], part)
        for top in range(image.shape[0] - height + 1)
        for left in range(image.shape[1] - width + 1)
    ]
    assert any(places)


def test_a_crop_that_is_larger_than_the_picture_is_refused():
    with pytest.raises(ShapeError, match=r"RandomCrop takes \(5, 5\) pixels; the picture has \(4, 9\)"):
        augment.RandomCrop(5)(np.zeros((4, 9, 3), np.uint8), generator())


def test_pad_crop_moves_by_whole_pixels_and_reaches_every_place():
    image = np.full((5, 6, 3), 255, np.uint8)
    pixels = {int(augment.PadCrop(2)(image, generator(seed)).any(-1).sum()) for seed in range(200)}
    assert pixels == {height * width for height in (3, 4, 5) for width in (4, 5, 6)}


def test_a_quarter_turn_and_a_shift_by_pixels_move_pixels():
    image = generator().integers(0, 256, (6, 6, 3), np.uint8)
    assert np.array_equal(augment.Rotate((90, 90))(image, generator()), np.rot90(image))
    assert np.array_equal(augment.Rotate((-90, -90))(image, generator()), np.rot90(image, -1))
    moved = augment.Shift((0.5, 0.5), "constant", 9)(image, generator())
    assert np.array_equal(moved[3:, 3:], image[:3, :3])
    assert (moved[:3] == 9).all()


def test_a_zoom_of_two_shows_the_middle_half():
    image = np.zeros((8, 8, 3), np.uint8)
    image[2:6, 2:6] = 200
    twice = augment.Zoom((2, 2))(image, generator())
    assert (twice >= 112).all()  # at the corners a quarter of each way is beyond the middle half
    assert (twice[1:-1, 1:-1] == 200).all()


def test_affine_steps_that_follow_each_other_read_the_picture_once():
    """There and back by half a pixel would blur if each were read for itself."""
    image = generator().integers(0, 256, (8, 8, 3), np.uint8)
    there, back = augment.Shift((0.0625, 0.0625)), augment.Shift((-0.0625, -0.0625))
    assert np.array_equal(augment.Pipeline([there, back])(image, 0), image)
    other = augment.Shift((-0.0625, -0.0625), "constant")  # goes on differently beyond the border
    assert not np.array_equal(augment.Pipeline([there, other])(image, 0), image)


def test_affine_steps_are_done_in_their_order():
    image = generator().integers(0, 256, (8, 8, 3), np.uint8)
    turn, move = augment.Rotate((90, 90), "constant"), augment.Shift((0.25, 0.25), "constant")
    together = augment.Pipeline([turn, move])(image, 0)
    assert np.array_equal(together, move(turn(image, generator()), generator()))
    assert not np.array_equal(together, turn(move(image, generator()), generator()))


def test_erasing_takes_a_rectangle_of_the_share_asked_for():
    image = np.zeros((40, 50, 3), np.uint8)
    for seed in range(20):
        erased = augment.Erase(1, (0.1, 0.2), (0.5, 2), value=255)(image, generator(seed)).any(-1)
        assert 0.08 < erased.mean() < 0.22
        rows, columns = np.flatnonzero(erased.any(1)), np.flatnonzero(erased.any(0))
        assert erased.sum() == len(rows) * len(columns)
    noise = augment.Erase(1, (1, 1), (1, 1))(image, generator())
    assert len(np.unique(noise)) > 200


def test_the_same_seed_sample_and_epoch_give_the_same_pixels_and_others_do_not():
    image = generator().integers(0, 256, (16, 16, 3), np.uint8)
    steps = [augment.Flip(), augment.Rotate(20), augment.Brightness(0.3)]
    first = augment.Pipeline(steps, seed=3)
    again = augment.Pipeline(steps, seed=3)
    for other in (first(image, 8, 2), first(image, 7, 3), augment.Pipeline(steps, seed=4)(image, 7, 2)):
        assert not np.array_equal(first(image, 7, 2), other)
    assert np.array_equal(first(image, 7, 2), again(image, 7, 2))


def mixed(mixing, count=6, seed=0):
    images = generator().integers(0, 256, (count, 8, 10, 3), np.uint8)
    targets = np.eye(count, dtype=np.float32)
    return images, *augment.Pipeline([mixing], seed).mix(images, targets, range(count))


@pytest.mark.parametrize("mixing", [augment.MixUp(0), augment.CutMix(0)])
def test_no_mixing_at_zero_strength(mixing):
    images, x, y = mixed(mixing)
    assert np.array_equal(x, images)
    assert np.array_equal(y, np.eye(6))


def test_mixup_mixes_pictures_and_targets_alike():
    images, x, y = mixed(augment.MixUp(1))
    assert x.dtype == y.dtype == np.float32
    assert np.allclose(x, np.tensordot(y, images.astype(np.float32), 1), atol=1e-3)
    assert np.allclose(y.sum(1), 1)
    assert len(np.unique(y.diagonal())) == 6


def test_cutmix_counts_the_pixels_of_each_picture():
    count = 6
    images = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 8, 10, 3))
    x, y = augment.Pipeline([augment.CutMix()]).mix(images, np.eye(count, dtype=np.float32), range(count))
    assert x.dtype == np.uint8
    shares = (x[..., 0][..., None] == np.arange(count)).mean((1, 2))
    assert np.allclose(y, shares)
    assert 0 < y.diagonal().mean() < 1


def test_how_much_is_mixed_depends_on_the_sample_and_not_on_the_batch():
    images = generator().integers(0, 256, (4, 8, 8, 3), np.uint8)
    pipeline = augment.Pipeline([augment.MixUp(1)])
    _, all_four = pipeline.mix(images, np.eye(4, dtype=np.float32), [0, 1, 2, 3])
    _, last_two = pipeline.mix(images[2:], np.eye(4, dtype=np.float32)[2:], [2, 3])
    assert np.array_equal(all_four.diagonal()[2:], last_two[:, 2:].diagonal())


def noisy(image):
    drawn = random.randrange(256) + int(np.random.randint(256))  # noqa: NPY002
    return image + np.uint8(drawn % 256)


class Compose:
    """As albumentations' Compose behaves: takes its picture by name, has a seed of its own."""

    def __init__(self):
        self.random, self.threads = random.Random(), set()

    def set_random_seed(self, seed):
        self.random = random.Random(seed)

    def __call__(self, *args, **data):
        if args:
            raise KeyError("named arguments")
        self.threads.add(threading.get_ident())
        assert len(self.threads) == 1, "shared between threads"
        return {"image": data["image"] + np.uint8(self.random.randrange(256))}


@pytest.mark.parametrize("function", [noisy, Compose(), lambda *, image: noisy(image)])
def test_functions_of_other_libraries_are_seeded_in_any_thread(function):
    pipeline = augment.Pipeline([augment.Adapted(function)], seed=1)
    image = np.zeros((2, 2, 3), np.uint8)
    expected = [pipeline(image, i) for i in range(20)]
    assert len({result[0, 0, 0] for result in expected}) > 5
    found = {}
    threads = [
        threading.Thread(target=lambda k=k: found.update({i: pipeline(image, i) for i in range(k, 20, 4)}))
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[i], expected[i]) for i in range(20))


def test_a_function_leaves_the_generators_and_the_picture_of_others_alone():
    def greedy(image):
        image[:] = random.randrange(256)
        return image

    random.seed(5)
    expected = random.random()
    random.seed(5)
    image = np.zeros((1, 1, 3), np.uint8)
    augment.Pipeline([augment.Adapted(greedy)])(image, 0)
    assert random.random() == expected
    assert not image.any()


def test_functions_of_other_libraries_are_copied_and_pickled_with_their_pipeline():
    pipeline, image = augment.Pipeline([augment.Adapted(np.flipud)]), np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    for other in (copy.deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline))):
        assert repr(other) == repr(pipeline)
        assert np.array_equal(other(image, 0), image[::-1])


def test_what_is_no_picture_is_refused():
    pipeline = augment.Pipeline([augment.Flip()])
    with pytest.raises(DTypeError, match=r"uint8 arrays; the picture is or gave float64 \(2, 2, 3\)"):
        pipeline(np.zeros((2, 2, 3)), 0)
    with pytest.raises(ShapeError, match=r"pictures \(H,W,3\); the picture is or gave uint8 \(2, 2\)"):
        pipeline(np.zeros((2, 2), np.uint8), 0)
    for result, said in ((np.zeros(3), "float64"), (None, "a NoneType")):
        wrong = augment.Pipeline([augment.Adapted(lambda image, result=result: result)])
        with pytest.raises(DTypeError, match=rf"Adapted\(.*lambda>\) is or gave {said}"):
            wrong(np.zeros((2, 2, 3), np.uint8), 0)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: augment.Flip(1.5), r"Flip: horizontal must be a number in \[0, 1\]; it is 1.5"),
        (lambda: augment.Rotate((20, 10)), r"Rotate: angle must be a number in \[20.0, 360\]; it is 10"),
        (lambda: augment.Zoom(1), r"Zoom: part must be a number in \[0, 1\); it is 1"),
        (lambda: augment.Shift(0.1, "mirror"), "Shift: fill must be one of 'reflect', "),
        (lambda: augment.PadCrop(1.5), "PadCrop: padding must be a whole number"),
        (lambda: augment.Erase(value=300), r"Erase: value must be a number in \[0, 255\]"),
        (lambda: augment.MixUp(-1), "MixUp: alpha must be"),
        (lambda: augment.Pipeline([noisy]), r"Adapted\(function\) makes a step"),
        (lambda: augment.Pipeline([augment.MixUp(), augment.Flip()]), "those that mix a batch last"),
        (lambda: augment.Pipeline([], seed=-1), "Pipeline: seed must be a whole number of at least 0"),
    ],
)
def test_wrong_arguments(make, said):
    with pytest.raises(ArgumentError, match=said):
        make()
