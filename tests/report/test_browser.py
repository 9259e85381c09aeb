"""The page in a real browser: no error, no request, nothing wider than a phone. Skipped where there is no Chromium."""

import http.server
import shutil
import subprocess
import threading

import numpy as np
import pytest
from report_cases import judged, make

from minicnn.report import Folds, Mistake, render
from minicnn.report.content import LayerGroup

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PROBE = """<!doctype html><iframe id=page src="{page}" style="border:0;width:{width}px;height:900px"></iframe><script>
page.onload = () => {{
  const root = page.contentDocument.documentElement
  const beyond = e => e.getBoundingClientRect().right > root.clientWidth + 1
  const wide = [...root.querySelectorAll("body *")].filter(beyond)
  const named = wide.map(e => e.tagName + "." + e.getAttribute("class"))
  document.title = (root.scrollWidth - root.clientWidth) + " too wide " + named
}}</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def full_report():
    """Every section, with long names."""
    names = ["a_rather_long_name_of_a_class_of_flowers", "rose", "tulip", "a_rather_long_name_of_another_class"]
    pictures = judged(60, 4)
    mistake = Mistake("val/rose/a_file_with_a_name_that_is_long_" * 2 + ".jpg", names[0], names[3], 0.9, b"no picture")
    groups = [LayerGroup("block1_conv1 … block4_conv3", 7635264, 0, 1e-4), LayerGroup("classifier", 5, 5, 1e-4)]
    return make(
        title="A_title_that_has_no_place_to_break_and_goes_on",
        class_names=names,
        confusion=np.eye(4, dtype=int) * 15,
        train_counts=[9] * 4,
        val_counts=[15] * 4,
        judged=pictures,
        mistakes=[mistake] * 3,
        seen={mistake.file: b"none"},
        groups=groups,
        seconds={"features": 3.2, "train the head": 1.0},
        cache="Features of 60 pictures: computed.",
        remarks=["a note"],
        folds=Folds([0.8, 0.9, 0.85]),
        refused=[("a.txt", "is no picture")],
        facts={"Model": {"sha256": "0f" * 32}},
        next_command="minicnn predict model.keras photo.jpg",
    )


@pytest.fixture
def served(tmp_path):
    """The page and its probes behind an address, and what was asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, format, *arguments):
            asked.append(self.path)

    (tmp_path / "report.html").write_text(render(full_report()), "utf-8")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_opens_without_errors_and_fits(served, tmp_path, width):
    address, asked = served
    (tmp_path / "probe.html").write_text(PROBE.format(page="report.html", width=width))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
               "--enable-logging=stderr", "--window-size=1400,1000", "--virtual-time-budget=3000"]  # fmt: skip
    command = [str(CHROMIUM), *options, "--dump-dom", f"{address}/probe.html"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    title = done.stdout.split("<title>")[1].split("</title>")[0]
    assert title.strip() == "0 too wide"
    assert "CONSOLE" not in done.stderr
    assert set(asked) <= {"/probe.html", "/report.html", "/favicon.ico"}
