"""Errors: one line, whatever the names in it."""

import pytest

from minicnn.errors import DataError, FileAccessError
from minicnn.models import load_model
from minicnn.weights import open_weights

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize("error", [DataError, FileAccessError])
def test_what_is_no_character_is_an_escape(error):
    assert str(error("a\n b\x1b[31m\u2028 \udcff é 图")) == "a\\n b\\x1b[31m\\u2028 \\udcff é 图"


@pytest.mark.parametrize("call", [load_model, open_weights])
def test_the_name_of_a_file_breaks_no_line(call, tmp_path):
    with pytest.raises(FileAccessError) as found:
        call(tmp_path / "a\nb.h5")
    assert len(str(found.value).splitlines()) == 1
    assert r"a\nb.h5" in str(found.value)
