"""The files of a transfer: what stands in them is what the result says."""

import html

import pytest

from minicnn.report import write_outputs
from minicnn.transfer import Settings, finetune_folder

pytestmark = pytest.mark.numpy_only


@pytest.fixture(scope="module")
def result(photos, net_file):
    return finetune_folder(photos, net_file, settings=Settings(epochs=2), cache=False)


def test_the_command_that_uses_the_model_is_quoted_for_a_shell(result, tmp_path):
    folder = tmp_path / "my photos-model"
    page = write_outputs(result, folder, ["minicnn"])["report.html"].read_text(encoding="utf-8")
    assert f"minicnn predict '{folder}/model.keras' photo.jpg" in html.unescape(page)
