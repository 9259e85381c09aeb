"""Layers of a file's author whose config has no name: a refusal says where in the model they are."""

import pytest

from minicnn.errors import UnsupportedError
from minicnn.models import model_from_config

pytestmark = pytest.mark.numpy_only
NAMELESS = {"class_name": "Scale", "config": {"k": 2}, "module": None, "registered_name": "mine>Scale"}
DISTRIBUTED = {"class_name": "TimeDistributed", "config": {"name": "steps", "layer": NAMELESS}}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([NAMELESS], "layer 'number 1 of net' is 'Scale' of 'mine>Scale', which is code"),
        ([{"class_name": "mine>Scale", "config": {}}], "layer 'number 1 of net' is 'Scale' of 'mine>Scale', which is"),
        ([{"class_name": "Scale", "config": {}}], "layer 'number 1 of net' is a Scale, which minicnn does not have"),
        ([{"class_name": "Sequential", "config": {"layers": [NAMELESS]}}], "layer 'number 1 of the model' is 'Scale'"),
        ([DISTRIBUTED], "layer 'the layer of steps' is 'Scale' of 'mine>Scale'"),
    ],
)
@pytest.mark.parametrize("given", [True, False])
def test_a_layer_of_its_author_without_a_name_is_called_by_its_place(entries, said, given):
    """`get_config` of a class may leave the name out; an input layer does not count, as in `model.layers`."""
    first = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 4, 4, 3], "name": "x"}}] if given else []
    with pytest.raises(UnsupportedError, match=f"^{said}"):
        model_from_config({"class_name": "Sequential", "config": {"name": "net", "layers": first + entries}})
