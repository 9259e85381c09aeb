"""What is printed: one line, plain JSON, aligned columns, progress without a terminal."""

import io
import json

import numpy as np
import pytest

from minicnn.cli.console import Progress, note, one_line, plain, print_json, print_table, say


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb", "a b"), ("\x1b]0;x\x07", "\\x1b]0;x\\x07"), ("é ü", "é ü"), ("a\u202eb", "a\\u202eb")],
)
def test_text_becomes_one_harmless_line(text, line):
    assert one_line(text) == line


def test_json_has_plain_numbers_and_null_for_what_is_none(capsys):
    print_json({"a": np.arange(3), "b": np.float32(0.5), "c": [float("nan"), np.inf], "d": (True, None)})
    assert json.loads(capsys.readouterr().out) == {"a": [0, 1, 2], "b": 0.5, "c": [None, None], "d": [True, None]}
    assert plain({1: object})["1"].startswith("<class")


def test_json_of_file_names_that_are_no_text(capsys):
    print_json({"a\udcff.jpg": "\udcfe é \ud800\n"})
    assert json.loads(capsys.readouterr().out) == {"a\\xff.jpg": "\\xfe é \\ud800\n"}
    say("a\udcff \ud800")
    assert capsys.readouterr().out == "a\\xff \\ud800\n"


def test_what_stdout_cannot_show_is_escaped(monkeypatch):
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", shown)
    say("3 × 3")
    print_json({"name": "é"})
    assert shown.buffer.getvalue() == b'3 \\xd7 3\n{\n  "name": "\\u00e9"\n}\n'  # type: ignore[attr-defined]


def test_columns_of_numbers_lie_to_the_right_and_texts_to_the_left(capsys):
    print_table(["name", "share", "kind"], [["a", "5.0%", "x"], ["long", "50.0%", "yy"]])
    assert capsys.readouterr().out == "name  share  kind\na      5.0%  x\nlong  50.0%  yy\n"
    print_table(["name", "share"], [["a", "5.0%"], ["b", "–"]])
    assert capsys.readouterr().out == "name  share\na      5.0%\nb         –\n"


def test_notes_go_to_stderr(capsys):
    note("hello\nthere")
    assert capsys.readouterr() == ("", "minicnn: hello there\n")


def test_progress_without_a_terminal_is_few_lines(capsys):
    progress = Progress()
    for step in ("reading", "learning"):
        for done in range(1, 101):
            progress(step, done, 100)
    progress.close()
    assert capsys.readouterr().err == "minicnn: reading: 100 of 100\nminicnn: learning: 100 of 100\n"


def test_progress_on_a_terminal_is_a_bar_a_step(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    progress("reading", 1, 2)
    progress("reading", 2, 2)
    progress("learning", 1, 1)
    progress.close()
    shown = capsys.readouterr().err
    assert "reading" in shown
    assert "learning" in shown
    assert "minicnn:" not in shown


def test_a_note_stands_above_the_bar(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    progress("reading", 1, 2)
    note("hello")
    progress("reading", 2, 2)
    progress.close()
    note("bye")
    shown = capsys.readouterr().err
    assert "\rminicnn: hello\n" in shown
    assert "reading" in shown.split("hello\n")[1]
    assert shown.endswith("\rminicnn: bye\n")


def test_without_tqdm_progress_is_lines_on_a_terminal_too(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    progress = Progress()
    progress("reading", 2, 2)
    assert capsys.readouterr().err == "minicnn: reading: 2 of 2\n"
