"""A folder belongs to one training, as long as its process lives."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minicnn.errors import FileAccessError
from minicnn.training import CheckpointFolder, lock

pytestmark = [pytest.mark.numpy_only, pytest.mark.skipif(lock.fcntl is None, reason="files cannot be locked here")]

HOLDER = """
import os, sys, time
from pathlib import Path
from minicnn.training.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
if sys.argv[2:]:
    begun, say = os.pipe()
    if not os.fork():
        os.write(say, b"!")
        time.sleep(600)
        os._exit(0)
    os.read(begun, 1)
print(os.getpid(), flush=True)
time.sleep(600)
"""


def holder(folder: Path, *arguments: str) -> subprocess.Popen:
    """A process that holds the folder."""
    command = [sys.executable, "-c", HOLDER, str(folder), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert int(process.stdout.readline()) == process.pid
    return process


@pytest.mark.parametrize("arguments", [[], ["with a child that lives on"]])
def test_the_lock_ends_with_its_process(tmp_path, arguments):
    process = holder(tmp_path, *arguments)
    mine = CheckpointFolder(tmp_path, keep=1)
    try:
        with pytest.raises(FileAccessError, match=rf"is in use by another training, process {process.pid}: wait until"):
            mine.acquire()
        process.kill()
        process.wait()
        mine.acquire()
        mine.release()
    finally:
        process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_two_trainings_of_one_process(tmp_path):
    first, second = CheckpointFolder(tmp_path, keep=1), CheckpointFolder(tmp_path, keep=1)
    first.acquire()
    with pytest.raises(FileAccessError, match=f"in use by another training, process {os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.clear()
    assert not tmp_path.exists()


def test_a_lock_whose_file_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    opened, real = [], os.open

    def removed_once(path, *rest):
        handle = real(path, *rest)
        if not opened:
            Path(path).unlink()  # as the end of another training does
        opened.append(path)
        return handle

    monkeypatch.setattr(lock.os, "open", removed_once)
    mine, other = lock.FolderLock(tmp_path), lock.FolderLock(tmp_path)
    mine.acquire()
    assert len(opened) == 2
    with pytest.raises(FileAccessError, match="in use"):
        other.acquire()
    mine.release()


def test_where_files_cannot_be_locked_everybody_gets_in(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    folders = [CheckpointFolder(tmp_path, keep=1) for _ in range(2)]
    for folder in folders:
        folder.acquire()
    for folder in folders:
        folder.release()


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(FileAccessError, match="cannot be written to: Permission denied"):
        CheckpointFolder(tmp_path, keep=1).acquire()


def test_what_killed_processes_left_is_removed_and_files_of_others_are_not(tmp_path):
    left = tmp_path / ".epoch00000-step000002.safetensors.0123456789ab.tmp"
    others = [tmp_path / "notes.txt", tmp_path / ".epoch.tmp"]
    for path in [left, *others]:
        path.write_text("x")
    folder = CheckpointFolder(tmp_path, keep=1)
    folder.acquire()
    assert not left.exists()
    folder.clear()
    assert sorted(tmp_path.iterdir()) == sorted(others)
