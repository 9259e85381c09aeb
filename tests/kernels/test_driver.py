"""What the NVIDIA driver says of itself, as far as there is one."""

import ctypes
from types import SimpleNamespace

import pytest

from minicnn.kernels._gpu.driver import LIBRARIES, driver_version

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def found(monkeypatch):
    """A function that gives the version where a library says this number with this code; None: there is no library."""

    def version(*, number: int = 0, code: int = 0, name: str = LIBRARIES[0]) -> tuple[int, int] | None:
        def says(pointer) -> int:
            pointer._obj.value = number
            return code

        def load(asked: str):
            if asked != name:
                raise OSError(f"{asked}: cannot open shared object file")
            return SimpleNamespace(cuDriverGetVersion=says)

        monkeypatch.setattr(ctypes, "CDLL", load)
        return driver_version.__wrapped__()

    return version


@pytest.mark.parametrize(("number", "version"), [(13000, (13, 0)), (12040, (12, 4)), (11080, (11, 8))])
@pytest.mark.parametrize("name", LIBRARIES)
def test_the_version_is_read_from_its_number(found, number, version, name):
    assert found(number=number, name=name) == version


def test_there_is_none_where_no_library_is_found_or_it_fails(found):
    assert found(name="none") is None
    assert found(number=13000, code=999) is None
