"""The frame of every command: help, exit codes, one line for an error, nothing but that line."""

import os
import signal
import subprocess
import sys
import time

import pytest

from minicnn.cli import entry, main
from minicnn.errors import DataError, DownloadError, MissingExtraError

# As it is for most people: output that waits in a buffer can fail once more at the end.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
COMMANDS = [command.__name__.rpartition(".")[2] for command in entry.COMMANDS]


def run(*arguments, **environment):
    """A process of its own: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "minicnn", *arguments],
        capture_output=True,
        text=True,
        env={**BUFFERED, "MINICNN_KERNELS": "numpy", **environment},
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def failing(error):
    def raise_it(options):
        raise error

    return raise_it


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["weights", "list"], ["weights", "fetch"]])
def test_help_explains_and_shows_examples(command, capsys):
    assert main([*command, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: {' '.join(['minicnn', *command])}")
    if len(command) == 1:
        assert "examples:" in said
        assert f"minicnn {command[0]}" in said.split("examples:")[1]


def test_the_general_help_names_all_commands_and_no_others(capsys):
    main(["--help"])
    listed = capsys.readouterr().out.split("commands:")[1].split("begin here:")[0]
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("    ") and line[4] != " "] == COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["predict"],
        ["finetune", "p", "--epochs", "many"],
        ["finetune", "p", "--epo", "3"],
        ["doctor", "--loud"],
        ["weights"],
        ["weights", "sell"],
        ["finetune", "p", "--resize", "zoom"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minicnn: error: ")
    assert err.count("\n") == 1
    assert "--help)" in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("photos: no\nclass\x1b[31m"), 2, "minicnn: error: photos: no\\nclass\\x1b[31m\n"),
        (DownloadError("offline"), 1, "minicnn: error: offline\n"),
        (MissingExtraError("tqdm", "images", "bars"), 1, "minicnn: error: bars needs tqdm, which is not installed: "),
        (
            ZeroDivisionError("oops"),
            1,
            "minicnn: failure: ZeroDivisionError: oops (set MINICNN_DEBUG=1 to see where)\n",
        ),
        (MemoryError(), 1, "minicnn: failure: MemoryError: (set MINICNN_DEBUG=1"),
        (KeyboardInterrupt(), 130, "minicnn: interrupted\n"),
    ],
)
def test_every_error_is_one_line_with_its_exit_code(error, code, said, capsys, monkeypatch):
    monkeypatch.delenv("MINICNN_DEBUG", raising=False)
    monkeypatch.setattr("minicnn.cli.doctor.run", failing(error))
    assert main(["doctor"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_debugging_shows_the_traceback_before_the_line(capsys, monkeypatch):
    monkeypatch.setenv("MINICNN_DEBUG", "1")
    monkeypatch.setattr("minicnn.cli.doctor.run", failing(DataError("bad")))
    assert main(["doctor"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("minicnn: error: bad\n")


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line(capsys, monkeypatch):
    import warnings

    def warn(options):
        warnings.warn("the file is old", stacklevel=2)
        return 0

    monkeypatch.setattr("minicnn.cli.doctor.run", warn)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().err == "minicnn: warning: the file is old\n"


@pytest.mark.parametrize(("kept", "said"), [(True, "this machine, once ...\n"), (False, "this machine ...\n")])
def test_compiling_is_announced(kept, said, capsys, monkeypatch):
    from minicnn.kernels import _compiling

    monkeypatch.setattr("minicnn.cli.doctor.run", lambda options: _compiling.tell_compiling(kept) or 0)
    assert main(["doctor"]) == 0
    assert capsys.readouterr() == ("", f"minicnn: compiling kernels for {said}")


def test_python_m_minicnn_is_the_command_line():
    from minicnn import __version__

    assert run("--version") == (0, f"minicnn {__version__}\n", "")
    code, _, err = run("predict", "missing.keras", "missing.jpg")
    assert code == 2
    assert err.count("\n") == 1


def test_a_reader_that_leaves_is_no_error():
    command = [sys.executable, "-m", "minicnn", "weights", "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["weights", "list"], ["weights", "list", "--json"], ["--help"]])
def test_an_output_that_cannot_be_written_is_one_line(arguments):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "minicnn", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=BUFFERED, check=False)
    line = "minicnn: error: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, line)


PLAIN_NUMPY = """
import sys
sys.modules.update(dict.fromkeys(("numba", "llvmlite")))  # as if they were not installed
from minicnn.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_numba_one_line_says_so(photos, net_file, tmp_path):
    out = ["--out", str(tmp_path / "out"), "--no-cache", "--epochs", "1", "--unfreeze", "conv2", "--fine-epochs", "1"]
    command = [sys.executable, "-W", "default", "-c", PLAIN_NUMPY, "finetune", str(photos), "--base", net_file, *out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (line,) = [line for line in done.stderr.splitlines() if "numba" in line]
    assert line == "minicnn: warning: numba is not installed, so NumPy kernels run: pip install numba (extra 'fast')"


INTERRUPTED = """
import signal, sys, time
from minicnn.cli import finetune, main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
def wait(options):
    print("waiting", flush=True)
    time.sleep(60)
finetune.run = wait
sys.exit(main(["finetune", "photos"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
def test_control_c_ends_with_130_and_one_line():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "minicnn: interrupted\n")


IMPORTING = """
import sys
class Interrupt:
    def find_spec(self, name, *rest):
        if name == "numpy":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from minicnn.cli import main
sys.exit(main(["doctor"]))
"""


def test_control_c_while_the_command_is_imported_is_quiet():
    done = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_help_needs_neither_numba_nor_h5py_nor_pillow():
    forbidden = "numba", "h5py", "PIL", "tqdm", "matplotlib", "sklearn"
    code = (
        "import sys; from minicnn.cli import main; main(['finetune', '--help']); "
        f"print([name for name in {forbidden} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"
