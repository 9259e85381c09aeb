"""explain: a drawing of what a model looked at, and one clear line where there is nothing to look at."""

import json

import numpy as np
import pytest
from cli_cases import refused
from PIL import Image

from minicnn.cli import main
from minicnn.layers import Conv2D, Dense, Flatten, GlobalMaxPooling2D, Input
from minicnn.models import Sequential
from minicnn.preparation import Preparation, ResizeRule

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def model_file(tmp_path, in_an_empty_folder):
    """A net that says yes where a picture has a bright place, and a picture with one in its lower right."""
    model = Sequential(
        [Input((12, 12, 3)), Conv2D(1, 3, name="bright"), GlobalMaxPooling2D(), Dense(2, activation="softmax")]
    )
    model.set_weights([np.ones((3, 3, 3, 1)), np.zeros(1), [[-1, 1]], np.zeros(2)])
    model.metadata = Preparation(ResizeRule(12), "unit").metadata(["no", "yes"])
    model.save(tmp_path / "model.keras")
    pixels = np.zeros((48, 48, 3), np.uint8)
    pixels[32:44, 32:44] = 255
    Image.fromarray(pixels).save(tmp_path / "new.png")
    return tmp_path / "model.keras"


@pytest.mark.parametrize("method", ["grad-cam", "occlusion", "gradient"])
def test_the_drawing_is_red_where_the_class_is_seen(model_file, method, capsys):
    assert main(["explain", str(model_file), "new.png", "--method", method]) == 0
    assert capsys.readouterr().out == "yes 100.0%: new-explained.png\n"
    drawing = np.array(Image.open(model_file.parent / "new-explained.png"), np.int64)
    assert drawing.shape == (456, 456, 3)  # the picture as the model sees it, as many pixels as there are at least
    red = drawing[..., 0] - drawing[..., 2]
    assert red[320:400, 320:400].max() > 50
    assert red[:200, :200].max() < 0


def test_the_map_of_another_class_and_of_another_layer_as_json(model_file, capsys):
    command = [
        "explain",
        str(model_file),
        "new.png",
        "--class",
        "no",
        "--layer",
        "bright",
        "--json",
        "--out",
        "deep/no.png",
    ]
    assert main(command) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found.pop("map") == np.zeros((10, 10)).tolist()
    assert found.pop("probability") < 1e-3
    assert found == {"file": "new.png", "class": "no", "method": "grad-cam", "drawing": "deep/no.png"}
    assert "nothing in the picture speaks for no: the map is empty" in err
    assert (model_file.parent / "deep" / "no.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new.png", "--class", "yess"], "the model has no class 'yess': did you mean yes?"),
        (["new.png", "--class", "zebra"], "the model has no class 'zebra': it has no, yes"),
        (["model.keras"], "model.keras: is a ZIP archive, not JPEG"),
        (["missing.png"], "missing.png"),
        (["new.png", "--layer", "dense"], "has no layer 'dense' with feature maps; some that have: bright"),
        (["new.png", "--layer", "bright", "--method", "occlusion"], "--layer is for --method grad-cam"),
        (["new.png", "--out", "new.png"], "--out is the picture itself, new.png: name another file"),
        (["new.png", "--out", "new.jpg"], "--out must end in .png; it is 'new.jpg'"),
        (["new.png", "--out", ""], "--out must end in .png; it is ''"),
    ],
)
def test_what_cannot_be_explained_is_one_line(model_file, arguments, said, capsys):
    assert said in refused(capsys, model_file.parent, "explain", model_file, *arguments)


def test_a_model_without_convolutions_has_no_maps(model_file, capsys):
    model = Sequential([Input((12, 12, 3)), Flatten(), Dense(2, activation="softmax")])
    model.metadata = Preparation(ResizeRule(12), "unit").metadata(["no", "yes"])
    model.save(model_file)
    line = refused(capsys, model_file.parent, "explain", model_file, "new.png")
    assert "no convolution with a map of several places: Grad-CAM has nothing to look at" in line
    assert main(["explain", str(model_file), "new.png", "--method", "occlusion"]) == 0
