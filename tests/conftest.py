"""Settings that every test shares: hypothesis without deadlines, where the data of others lies, a run without numba."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "minicnn", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile(  # on a GPU that a failure may have ended: it would fail the same way with any example
    "brief", settings.get_profile("minicnn"), max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.load_profile(os.environ.get("MINICNN_HYPOTHESIS_PROFILE", "minicnn"))


if os.environ.get("MINICNN_TEST_WITHOUT_NUMBA"):
    sys.modules.update(dict.fromkeys(("numba", "llvmlite")))  # as if they were not installed


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of models and images made by others, named by MINICNN_TEST_DATA."""
    folder = os.environ.get("MINICNN_TEST_DATA")
    if not folder and os.environ.get("MINICNN_REQUIRE_TEST_DATA"):
        pytest.fail("MINICNN_TEST_DATA is not set, and this run may not skip the tests that need it")
    if not folder:
        pytest.skip("MINICNN_TEST_DATA is not set: it names the folder of models and images made by others")
    path = Path(folder)
    assert path.is_dir(), f"MINICNN_TEST_DATA names {folder}, which is no folder"
    return path


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of committed golden files."""
    return Path(__file__).parent / "golden"


@pytest.fixture
def same_threads_afterwards() -> Iterator[None]:
    """For tests that set the number of threads."""
    from minicnn import kernels
    from minicnn.kernels import _threads as threads

    before = threads._threads
    yield
    kernels.set_num_threads(before or kernels.get_num_threads())
    threads._threads = before


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests of a real GPU run where there is one."""
    if item.get_closest_marker("gpu"):
        from minicnn.errors import DeviceError
        from minicnn.kernels._device import device

        try:
            device("cuda")
        except DeviceError as error:
            pytest.skip(str(error))
