"""A plugin of pytest for tests on a GPU: a list of how each ended, and an end where the device is lost.

    python -m pytest -m gpu -p benchmarks.gpu.pytest_plugin --list tests.jsonl

A kernel that fails ends the device for its process, where all later tests would fail with it: pytest stops then, and
the same command goes on with the tests that are not in the list.  A line is written when a test begins, and when it
ends: what has only begun has ended the process, or never came to an end.

exit codes: 0 of the tests in the list some passed, and none did anything else; 2 there is no device; 3 the device was
lost; 4 tests failed, or were skipped.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minicnn import kernels
from minicnn.errors import DeviceError

from .exit_codes import LOST, REFUSED, TESTS_FAILED
from .outcomes import BEGUN, FAILED, PASSED, note, outcomes

ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--list", type=Path, required=True, metavar="FILE", help="where the tests on a GPU are listed")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(TestList(config.option.list))


class TestList:
    """The hooks of one run of pytest."""

    __test__ = False  # its name does not make it a test

    def __init__(self, path: Path):
        self.path, self.outcomes = path, outcomes(path)

    def note(self, test: str, outcome: str, why: str = "") -> None:
        self.outcomes[test] = outcome
        note(self.path, test, outcome, why)

    def pytest_sessionstart(self) -> None:
        """Without a device nothing is run, and nothing skipped."""
        try:
            self.device = kernels.device("cuda")
        except DeviceError as error:
            pytest.exit(str(error), REFUSED)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in self.outcomes])
        items[:] = [item for item in items if item.nodeid not in self.outcomes]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.note(item.nodeid, BEGUN)
        result: Any = yield
        try:
            self.device.synchronize()
        except DeviceError as error:
            self.note(item.nodeid, FAILED, f"the device was lost: {error}")
            pytest.exit(f"the device was lost: {error}", LOST)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed or report.when == "call":
            crash = getattr(report.longrepr, "reprcrash", None)
            self.note(
                report.nodeid, report.outcome, (crash.message if crash else report.longreprtext).partition("\n")[0]
            )

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """All tests in the list decide, those of earlier runs too."""
        if exitstatus in ENDED:
            passed = self.outcomes and set(self.outcomes.values()) == {PASSED}
            session.exitstatus = pytest.ExitCode.OK if passed else TESTS_FAILED
