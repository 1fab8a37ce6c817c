import hashlib
import json
import socket
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import torch
from click.testing import CliRunner

from slicenet.commands import main


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setenv("SLICENET_WEIGHTS", str(tmp_path / "store"))
    return lambda *arguments: CliRunner().invoke(main, ["weights", *map(str, arguments)])


@pytest.fixture
def brought(tmp_path):
    (tmp_path / "served").mkdir()
    torch.save({"conv1.weight": torch.ones(3)}, tmp_path / "served/net.pth")
    return tmp_path / "served/net.pth"


@pytest.fixture
def address(brought):
    """Where a server on this machine offers the folder of `brought`."""
    handler = partial(SimpleHTTPRequestHandler, directory=brought.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_list_names_the_folder_and_the_files_to_bring(weights, tmp_path):
    result = weights("list")
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "store") in result.stdout
    assert "wide_resnet50_2-95faca4d.pth" in result.stdout
    report = json.loads(weights("list", "--json").stdout)
    assert [row["name"] for row in report["held"]] == ["resnet18.tv_in1k"]
    assert "comes with slicenet" in result.stdout
    assert {"name", "file", "url"} == set(report["missing"][0])


def test_what_was_imported_is_listed_and_found(weights, brought, tmp_path):
    result = weights("import", brought, "--name", "mine", "--licence", "CC0-1.0")
    assert result.exit_code == 0, result.output
    assert "not one of the known files" in result.stdout
    assert weights("path", "mine").stdout.strip() == str(tmp_path / "store/mine.safetensors")
    assert "CC0-1.0" in weights("list").stdout
    row, _ = json.loads(weights("list", "--json").stdout)["held"]
    assert row["source_sha256"] == hashlib.sha256(brought.read_bytes()).hexdigest()
    assert row["verified"] is False


def test_json_of_import_and_path_name_the_same_file(weights, brought):
    imported = json.loads(weights("import", brought, "--json").stdout)
    assert imported["name"] == "net"
    assert json.loads(weights("path", "net", "--json").stdout)["path"] == imported["path"]


def test_missing_weights_end_with_code_5_and_the_file_to_bring(weights):
    result = weights("path", "resnet50.tv_in1k")
    assert result.exit_code == 5
    assert "resnet50-0676ba61.pth" in result.stderr
    assert "Traceback" not in result.output
    error = json.loads(weights("path", "resnet50.tv_in1k", "--json").stdout)["error"]
    assert error["code"] == "E_WEIGHTS"


def test_f87_a_web_page_brought_as_weights_ends_with_code_5(weights, tmp_path):
    (tmp_path / "net.pth").write_text("<!doctype html>")
    result = weights("import", tmp_path / "net.pth")
    assert result.exit_code == 5
    assert "web page" in result.stderr


def test_fetch_brings_a_file_and_reports_on_standard_error(weights, brought, address):
    sha256 = hashlib.sha256(brought.read_bytes()).hexdigest()
    result = weights("fetch", "net", "--url", f"{address}/net.pth", "--sha256", sha256, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["source"] == "net.pth"
    assert "fetch" in result.stderr


def test_fetch_of_another_file_than_asked_for_ends_with_code_5(weights, address):
    result = weights("fetch", "resnet18.tv_in1k", "--url", f"{address}/net.pth")
    assert result.exit_code == 5
    assert "E_SHA256" in result.stderr


def test_fetch_of_a_name_without_an_address_ends_with_code_2(weights):
    assert weights("fetch", "unheard-of").exit_code == 2


REACHED = []  # an audit hook stays for good
OFFLINE = ("backends", "cache", "check", "config", "datasets", "doctor", "report", "score")


def note_reaching(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddr", "socket.gethostby", "socket.send")):
        REACHED.append(arguments)


def test_h110_nothing_but_a_fetch_reaches_for_the_network(weights, address, brains, run, tmp_path):
    with pytest.raises(RuntimeError, match="reached for the network"):  # as any test would be told
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sender,
        pytest.raises(RuntimeError, match="reached for the network"),
    ):
        sender.sendmsg([b"x"], [], 0, ("192.0.2.1", 9))
    with pytest.raises(RuntimeError, match="reached for the network"):
        socket.gethostbyname("localhost.example.org")
    sys.addaudithook(note_reaching)
    image, maps = brains / "sub-08", tmp_path / "maps"
    words = {
        "score": [run, image, "--out", maps], "report": [maps], "check": [image],
        "config": ["--backend", "zscore"],
    }  # fmt: skip
    for name in sorted(OFFLINE, reverse=True):  # a report comes after its scores
        done = CliRunner().invoke(main, [name, *map(str, words.get(name, []))])
        assert done.exit_code == 0, done.output
    assert REACHED == []
    assert weights("fetch", "net", "--url", f"{address}/net.pth").exit_code == 0
    assert REACHED
