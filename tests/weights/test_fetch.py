"""Finding and downloading published files, against a server that breaks off, lies and ignores."""

import hashlib
import http.server
import os
import socket
import threading
import urllib.error
from pathlib import Path
from typing import ClassVar

import pytest
from weight_cases import FILES

from minicnn.errors import DownloadError
from minicnn.kernels._cache_folder import user_cache_folder
from minicnn.weights import download as downloading
from minicnn.weights.fetch import cache_folder, fetch, find, is_file, locate
from minicnn.weights.registry import PublishedFile

DATA = bytes(range(256)) * 1200  # 300 KiB
MD5, SHA256 = hashlib.md5(DATA).hexdigest(), hashlib.sha256(DATA).hexdigest()
HALF = len(DATA) // 2


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of the path says how to behave; `asked` records (path, Range) of every request."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Range")))
        getattr(self, self.path.split("/")[1])(len(self.asked))

    def send(self, data, status=200, length=None, **headers):
        self.send_response(status)
        if length != -1:
            self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def start(self):
        asked = self.headers.get("Range")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0

    def ranged(self, data, length=None):
        start = self.start()
        if not start:
            return self.send(data, length=length)
        if start >= len(DATA):
            return self.send(b"", 416)
        return self.send(data, 206, length, Content_Range=f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")

    def whole(self, count):
        self.ranged(DATA[self.start() :])

    def breaks(self, count):  # after 100,000 bytes of each answer
        start = self.start()
        self.ranged(DATA[start : start + 100_000], length=len(DATA) - start)

    def rangeless(self, count):  # no Range, and the first answer is cut off
        self.send(DATA[:HALF] if count == 1 else DATA, length=len(DATA))

    def stuck(self, count):
        self.send(b"", length=len(DATA))

    def page(self, count):
        self.send(b"<!DOCTYPE html><html>log in</html>", Content_Type="text/html")

    def other(self, count):
        self.send(DATA[::-1])

    def missing(self, count):
        self.send(b"no", 404)

    def busy(self, count):
        self.send(b"later", 503) if count < 3 else self.send(DATA)

    def endless(self, count):  # no Content-Length
        self.send(DATA, length=-1)

    def elsewhere(self, count):
        self.send(DATA[:100], 206, Content_Range=f"bytes 7-106/{len(DATA)}")

    def golden(self, count):
        self.send((FILES / "tiny_legacy_weights.h5").read_bytes())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Empty caches, no waiting; the folder that models are kept in."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "minicnn"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("MINICNN_OFFLINE", raising=False)
    monkeypatch.setattr(downloading, "PAUSE", 0.001)
    Handler.asked.clear()
    return tmp_path / "minicnn" / "models"


def keras_file(tmp_path, data, name="a.bin"):
    path = tmp_path / "keras" / "models" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("file_hash", [MD5, SHA256, SHA256.upper(), None])
def test_a_file_is_downloaded_once(address, cache, file_hash):
    path = fetch(f"{address}/whole/a.bin", "a.bin", file_hash)
    assert path == cache / "a.bin"
    assert path.read_bytes() == DATA
    assert fetch(f"{address}/whole/a.bin", "a.bin", file_hash) == path
    assert len(Handler.asked) == 1
    assert os.listdir(cache) == ["a.bin"]


@pytest.mark.parametrize("behaviour", ["breaks", "rangeless", "busy", "endless"])
def test_what_goes_wrong_on_the_way_is_made_good(address, cache, behaviour):
    path = fetch(f"{address}/{behaviour}/a.bin", "a.bin", MD5)
    assert path.read_bytes() == DATA
    assert os.listdir(cache) == ["a.bin"]


def test_a_broken_connection_is_resumed_where_it_broke(address):
    fetch(f"{address}/breaks/a.bin", "a.bin", MD5)
    assert [asked for _, asked in Handler.asked] == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_a_later_run_goes_on_with_what_was_received(address, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(DATA[:HALF])
    fetch(f"{address}/whole/a.bin", "a.bin", MD5)
    assert [asked for _, asked in Handler.asked] == [f"bytes={HALF}-"]


def test_a_complete_part_is_recognised(address, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(DATA)
    assert fetch(f"{address}/whole/a.bin", "a.bin", MD5).read_bytes() == DATA


def test_a_part_of_another_file_is_thrown_away(address, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(b"x" * HALF)
    assert fetch(f"{address}/whole/a.bin", "a.bin", MD5).read_bytes() == DATA
    assert [asked for _, asked in Handler.asked] == [f"bytes={HALF}-", None]


def test_what_was_received_before_giving_up_is_kept(address, cache, monkeypatch):
    monkeypatch.setattr(downloading, "ATTEMPTS", 1)
    monkeypatch.setattr(downloading, "PROGRESS", 1 << 30)
    with pytest.raises(DownloadError):
        fetch(f"{address}/breaks/a.bin", "a.bin", MD5)
    assert (cache / "a.bin.part").read_bytes() == DATA[:100_000]
    assert os.listdir(cache) == ["a.bin.part"]


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("page", "a web page instead of the file"),
        ("other", f"another file: its md5 is {hashlib.md5(DATA[::-1]).hexdigest()}, not {MD5}"),
        ("missing", "404"),
        ("stuck", "the connection broke off"),
    ],
)
def test_a_failed_download_says_why_and_what_to_put_where(address, cache, behaviour, said):
    with pytest.raises(DownloadError, match=said) as error:
        fetch(f"{address}/{behaviour}/a.bin", "a.bin", MD5)
    assert str(error.value).startswith(f"{address}/{behaviour}/a.bin could not be downloaded (the ")
    assert str(error.value).endswith(f"): put the file at {cache / 'a.bin'}")
    assert str(error.value).count(address) == 1
    assert os.listdir(cache) == []


@pytest.mark.parametrize("behaviour", ["whole", "stuck"])
def test_a_download_is_told_before_the_server_answers(address, capsys, monkeypatch, behaviour):
    told = []
    receive = downloading._receive
    monkeypatch.setattr(downloading, "_receive", lambda *a: told.append(capsys.readouterr().err) or receive(*a))
    if behaviour == "stuck":
        with pytest.raises(DownloadError):
            fetch(f"{address}/stuck/a.bin", "a.bin", MD5)
    else:
        fetch(f"{address}/whole/a.bin", "a.bin", MD5)
    assert told[0] == "minicnn: downloading a.bin ...\n"
    assert "downloading" not in "".join(told[1:])


def test_the_size_is_told_when_the_server_says_it(address, capsys):
    fetch(f"{address}/whole/a.bin", "a.bin", MD5)
    assert capsys.readouterr().err == "minicnn: downloading a.bin ...\nminicnn: receiving 0.3 MB\n"
    fetch(f"{address}/endless/b.bin", "b.bin", MD5)
    assert capsys.readouterr().err == "minicnn: downloading b.bin ...\n"


def test_bytes_from_another_place_are_refused(address, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(DATA[:50])
    with pytest.raises(DownloadError, match="bytes from 7, asked for 50"):
        fetch(f"{address}/elsewhere/a.bin", "a.bin", MD5)
    assert (cache / "a.bin.part").read_bytes() == DATA[:50]


def test_no_network(cache):
    with pytest.raises(DownloadError, match=r"\(Connection refused\): put"):
        fetch("http://127.0.0.1:9/a.bin", "a.bin", MD5)


def test_a_name_that_is_not_found_is_not_asked_for_again(monkeypatch):
    asked = []

    def fail(host, *_, **__):
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(DownloadError, match=r"\(the name of the server is not found: Temporary failure in name resol"):
        fetch("http://a.example/a.bin", "a.bin", MD5)
    assert asked == ["a.example"]


def test_a_name_that_was_found_before_the_connection_broke_is_asked_for_again(address, monkeypatch):
    receive, broken = downloading._receive, iter([True])

    def lose_the_network(url, path):
        if path.stat().st_size and next(broken, False):
            raise urllib.error.URLError(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
        return receive(url, path)

    monkeypatch.setattr(downloading, "_receive", lose_the_network)
    assert fetch(f"{address}/breaks/a.bin", "a.bin", MD5).read_bytes() == DATA
    assert next(broken, "used") == "used"


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://example.org/a", "a.bin"])
def test_only_web_addresses_are_opened(url):
    with pytest.raises(DownloadError, match="not a web address"):
        fetch(url, "a.bin")


def test_offline_asks_nobody(address, cache, monkeypatch):
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    with pytest.raises(DownloadError, match="MINICNN_OFFLINE is set") as error:
        fetch(f"{address}/whole/a.bin", "a.bin", MD5)
    assert str(cache / "a.bin") in str(error.value)
    assert f"{address}/whole/a.bin" in str(error.value)
    assert Handler.asked == []
    assert not cache.exists()


def test_a_file_is_found_without_the_network(tmp_path, cache):
    entry = PublishedFile("a.bin", "http://a.example/a.bin", MD5)
    assert find(entry) is None
    path = keras_file(tmp_path, DATA)
    assert find(entry) == path
    path.write_bytes(DATA[1:])
    assert find(entry) is None
    cache.mkdir(parents=True)
    (cache / "a.bin").write_bytes(DATA)
    assert find(entry) == cache / "a.bin"


def test_keras_own_cache_is_used(address, tmp_path):
    path = keras_file(tmp_path, DATA)
    assert fetch(f"{address}/whole/a.bin", "a.bin", MD5) == path
    assert Handler.asked == []


def test_a_damaged_file_in_keras_cache_is_not_used(address, tmp_path, monkeypatch):
    path = keras_file(tmp_path, DATA[:-1])
    assert fetch(f"{address}/whole/a.bin", "a.bin", MD5) != path
    assert path.read_bytes() == DATA[:-1]
    (cache_folder() / "models" / "a.bin").unlink()
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    with pytest.raises(DownloadError, match="is there but its md5 is"):
        fetch(f"{address}/whole/a.bin", "a.bin", MD5)


def test_an_unwritable_cache_is_named(address, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(f"{address}/whole/a.bin", "a.bin", MD5)


def test_without_a_hash_weights_are_opened_to_see_what_they_are(address):
    entry = PublishedFile("a.h5", f"{address}/golden/a.h5", None)
    assert locate(entry).read_bytes() == (FILES / "tiny_legacy_weights.h5").read_bytes()
    for behaviour in ("other", "page"):
        with pytest.raises(DownloadError):
            locate(PublishedFile("b.h5", f"{address}/{behaviour}/b.h5", None))


def test_several_processes_may_fetch_one_file(address, cache):
    paths = []
    threads = [
        threading.Thread(target=lambda: paths.append(fetch(f"{address}/breaks/a.bin", "a.bin", MD5))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [cache / "a.bin"] * 6
    assert (cache / "a.bin").read_bytes() == DATA


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/me"}, "/me/.cache/minicnn"),
        ({"HOME": "/me", "XDG_CACHE_HOME": "/caches"}, "/caches/minicnn"),
        ({"HOME": "/me", "XDG_CACHE_HOME": "/caches", "MINICNN_CACHE": "~/mine"}, "/me/mine"),
    ],
)
def test_the_cache_folder_is_the_users_and_one_with_that_of_kernels(environment, folder, monkeypatch):
    monkeypatch.delenv("MINICNN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder)
    assert user_cache_folder() == Path(folder)


def test_a_file_is_the_published_one_by_name_and_hash(tmp_path):
    path = tmp_path / "b0.h5"
    path.write_bytes(DATA)
    assert is_file(PublishedFile("b0.h5", "", MD5), path)
    assert is_file(PublishedFile("b0.h5", "", SHA256), str(path))
    assert not is_file(PublishedFile("b0.h5", "", MD5[::-1]), path)
    assert not is_file(PublishedFile("b1.h5", "", MD5), path)
    assert not is_file(PublishedFile("b2.h5", "", MD5), tmp_path / "b2.h5")
