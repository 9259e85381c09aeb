"""Pictures whose files are known: what is said of them is the same, and only those that are used are decoded."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from transfer_cases import write_photos

from minicnn.data import ResizeRule, scan_folder
from minicnn.errors import DataError
from minicnn.report import write_outputs
from minicnn.transfer import FeatureCache, Policy, finetune, known_pictures
from minicnn.transfer.job import Job
from minicnn.transfer.pictures import read_pictures

pytestmark = pytest.mark.numpy_only
RULE = ResizeRule(24)


@pytest.fixture
def folder(tmp_path):
    """Twelve photos in each of three classes, a copy, a dot, and a file that is cut off."""
    photos = write_photos(tmp_path / "p", 12)
    (photos / "red" / "copy.png").write_bytes((photos / "red" / "0.png").read_bytes())
    (photos / "blue" / "11.png").write_bytes((photos / "blue" / "11.png").read_bytes()[:200])
    Image.new("RGB", (1, 1)).save(photos / "green" / "dot.png")
    return photos


@pytest.fixture
def decoded(monkeypatch):
    """How many files were decoded, each time."""
    counts, load = [], known_pictures.load_images

    def noted(files, rule, **options):
        counts.append(len(files))
        return load(files, rule, **options)

    monkeypatch.setattr(known_pictures, "load_images", noted)
    return counts


def read(folder, cache):
    return read_pictures(scan_folder(folder), RULE, cache=cache)


def test_what_is_known_is_what_was_read(folder, tmp_path, decoded):
    cache = FeatureCache(tmp_path / "c")
    plain, first, again = read(folder, None), read(folder, cache), read(folder, cache)
    assert decoded == [38, 0]
    for found in (first, again):
        assert found.hashes == plain.hashes
        assert found.folder.files == plain.folder.files
        assert found.refused == plain.refused
        assert found.adapted == plain.adapted == [("green/dot.png", "enlarged from 1 x 1")]
        np.testing.assert_array_equal(found.images, plain.images)
    assert [file for file, _ in again.refused] == ["blue/11.png"]
    assert decoded == [38, 0, 37]
    np.testing.assert_array_equal(again.images[np.array([5, 2])], plain.images[[5, 2]])
    assert decoded == [38, 0, 37]  # once


def test_only_a_file_that_is_new_is_decoded(folder, tmp_path, decoded):
    cache = FeatureCache(tmp_path / "c")
    read(folder, cache)
    last = folder / "red" / "copy.png"
    Image.new("RGB", (30, 30), (9, 200, 8)).save(last)
    plain, again = read(folder, None), read(folder, cache)
    assert decoded == [38, 1]
    assert again.hashes == plain.hashes
    np.testing.assert_array_equal(again.images[len(again.hashes) - 1 :], plain.images[-1:])
    assert decoded == [38, 1]
    Image.new("RGB", (30, 30), (9, 0, 8)).save(folder / "blue" / "-.png")  # before all others
    assert read(folder, cache).hashes == read(folder, None).hashes
    assert read(folder, cache).hashes == read(folder, None).hashes
    assert decoded == [38, 1, 1, 0]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(folder, tmp_path, decoded, monkeypatch):
    cache, of = FeatureCache(tmp_path / "c"), known_pictures._hashes
    other = {folder / "blue" / "0.png": "0" * 64}
    monkeypatch.setattr(
        known_pictures, "_hashes", lambda files: [other.get(file, now) for file, now in zip(files, of(files))]
    )
    read(folder, cache)
    read(folder, cache)
    assert decoded == [38, 1]


@pytest.mark.parametrize("length", [None, 60])
def test_a_file_that_was_away_for_a_while_is_not_remembered_as_damaged(folder, tmp_path, monkeypatch, length):
    cache, of, file = FeatureCache(tmp_path / "c"), known_pictures._hashes, folder / "blue" / "0.png"
    whole = file.read_bytes()

    def then_replaced(files):
        hashes = of(files)
        file.unlink(missing_ok=True)
        if length is not None:
            file.write_bytes(whole[:length])
        return hashes

    with monkeypatch.context() as patch:
        patch.setattr(known_pictures, "_hashes", then_replaced)
        assert "blue/0.png" in [name for name, _ in read(folder, cache).refused]
    file.write_bytes(whole)
    assert read(folder, cache).refused == read(folder, None).refused


def test_a_file_that_cannot_be_opened_once_is_decoded_the_next_time(folder, tmp_path, decoded, monkeypatch):
    cache, found = FeatureCache(tmp_path / "c"), known_pictures._found

    def once_unreadable(loaded, files):
        return [known_pictures.Fact(("unreadable", "cannot be read")), *found(loaded, files)[1:]]

    with monkeypatch.context() as patch:
        patch.setattr(known_pictures, "_found", once_unreadable)
        read(folder, cache)
    read(folder, cache)
    assert decoded == [38, 1]


def test_another_size_knows_nothing(folder, tmp_path, decoded):
    cache = FeatureCache(tmp_path / "c")
    read(folder, cache)
    read_pictures(scan_folder(folder), ResizeRule(25), cache=cache)
    assert decoded == [38, 38]


def test_another_decoder_knows_nothing(folder, tmp_path, decoded, monkeypatch):
    cache = FeatureCache(tmp_path / "c")
    read(folder, cache)
    monkeypatch.setattr(known_pictures, "__version__", "another")
    read(folder, cache)
    monkeypatch.setattr(known_pictures, "pillow_image", lambda: SimpleNamespace(__version__="another"))
    read(folder, cache)
    assert decoded == [38, 38, 38]


def test_a_file_that_changes_in_between_is_refused(folder, tmp_path):
    cache = FeatureCache(tmp_path / "c")
    read(folder, cache)
    again = read(folder, cache)
    Image.new("RGB", (30, 30)).save(folder / "blue" / "1.png")
    with pytest.raises(DataError, match=r"blue/1\.png changed while it was used"):
        again.images[:3]
    (folder / "blue" / "1.png").unlink()
    with pytest.raises(DataError, match=r"blue/1\.png: .*; it could be read when the pictures were listed: run again"):
        again.images[:3]


def test_pictures_that_are_gone_after_training_do_not_cost_it(net_file, tmp_path, monkeypatch):
    folder = write_photos(tmp_path / "p", 20, dict.fromkeys("ab", (99, 99, 99)))  # nobody tells them apart
    policy, cache = Policy(unfreeze=1, head_epochs=1, epochs=1, augment=None), FeatureCache(tmp_path / "c")
    first, train = finetune(net_file, folder, policy, cache=cache), Job.fine_tune
    assert first.details.mistakes

    def lose_the_disk(self, *arguments):
        phase = train(self, *arguments)
        folder.rename(tmp_path / "gone")
        return phase

    monkeypatch.setattr(Job, "fine_tune", lose_the_disk)
    monkeypatch.setattr("minicnn.transfer.fitted.LIVE_SAMPLES", 1)
    again = finetune(net_file, folder, policy, cache=cache)
    assert again.probabilities.tobytes() == first.probabilities.tobytes()
    mistakes = again.details.mistakes
    assert [mistake.file for mistake in mistakes] == [mistake.file for mistake in first.details.mistakes]
    gone = [mistake.file for mistake in mistakes if not mistake.picture]
    assert len(gone) >= len(mistakes) - 1  # but for what was read for the comparison
    assert all(mistake.pixels is None for mistake in mistakes if mistake.file in gone)
    (said,) = [remark for remark in again.details.remarks if "could not be read again after training" in remark]
    assert gone[0] in said
    page = write_outputs(again, tmp_path / "out")["report.html"].read_text("utf-8")
    assert page.count("data:image/jpeg") == 2 * (len(mistakes) - len(gone))


def test_pictures_that_look_the_same_are_refused_when_known_too(tmp_path):
    photos, cache = tmp_path / "p", FeatureCache(tmp_path / "c")
    for number in range(6):
        (photos / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (7, 8, 9)).save(photos / "ab"[number % 2] / f"{number}.png", compress_level=number)
    for _ in range(2):
        with pytest.raises(DataError, match="all 6 pictures look the same"):
            read(photos, cache)


def test_a_file_that_cannot_be_read_is_not_remembered(folder, tmp_path, decoded):
    cache = FeatureCache(tmp_path / "c")
    (folder / "blue" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "blue" / "1.png").unlink()
    listed = scan_folder(folder)
    (folder / "blue" / "2.png").unlink()  # after the folder was listed
    for _ in range(2):
        assert [file for file, _ in read_pictures(listed, RULE, cache=cache).refused][:2] == [
            "blue/0.png",
            "blue/2.png",
        ]
    assert decoded == [37, 1]


def test_a_second_finetune_decodes_what_it_compares_alone(folder, net_file, tmp_path, decoded):
    policy, cache = Policy(unfreeze=None, head_epochs=2), FeatureCache(tmp_path / "c")
    plain, first, again = (finetune(net_file, folder, policy, cache=use) for use in (False, cache, cache))
    assert decoded[0] == 38
    assert sum(decoded[1:]) <= 8 + 8  # those that the cache is compared with, and those of validation
    assert again.cache.computed == 0
    assert len({result.probabilities.tobytes() for result in (plain, first, again)}) == 1


def test_a_copy_as_an_array_is_one():
    pictures = known_pictures.FilePictures([Path("a.png")], ["a"], ResizeRule(2))
    pictures.put(np.array([0]), np.full((1, 2, 2, 3), 7, np.uint8))
    np.array(pictures)[:] = 0
    assert (pictures[0] == 7).all()
    assert np.asarray(pictures, np.float32).dtype == np.float32
