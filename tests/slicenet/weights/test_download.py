import socket

import pytest

from slicenet.errors import CheckpointError
from slicenet.weights import download as module
from slicenet.weights.download import download

BODY = bytes(range(256)) * 5000  # more than one chunk


def refusal(url, to, limit=10**7) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        download(url, to, limit)
    assert caught.value.exit_code == 5
    assert caught.value.code == "E_FETCH"
    assert url in caught.value.message
    return caught.value


@pytest.mark.parametrize("headers", [{"Content-Length": str(len(BODY))}, {}])
def test_what_the_server_sends_is_written_whole(server, tmp_path, headers):
    server.answers["/w.pth"] = (200, headers, BODY)
    download(f"{server.address}/w.pth", tmp_path / "w", limit=len(BODY))
    assert (tmp_path / "w").read_bytes() == BODY


def test_progress_counts_bytes_up_to_the_whole(server, tmp_path):
    server.answers["/w.pth"] = (200, {"Content-Length": str(len(BODY))}, BODY)
    steps = []
    watch = lambda stage, done, total, **values: steps.append((stage, done, total))  # noqa: E731
    download(f"{server.address}/w.pth", tmp_path / "w", 10**7, watch)
    assert steps[-1] == ("fetch", len(BODY), len(BODY))
    assert [done for _, done, _ in steps] == sorted({done for _, done, _ in steps})


def test_a_transfer_that_is_cut_is_refused_with_both_counts(server, tmp_path):
    server.answers["/w.pth"] = (200, {"Content-Length": str(len(BODY))}, BODY[:1000])
    error = refusal(f"{server.address}/w.pth", tmp_path / "w")
    assert f"only 1000 of {len(BODY)}" in error.message


def test_a_web_page_in_place_of_a_file_is_refused(server, tmp_path):
    page = {"Content-Type": "text/html; charset=utf-8"}
    server.answers["/w.pth"] = (200, page, b"<html>sign in</html>")
    assert "a web page" in refusal(f"{server.address}/w.pth", tmp_path / "w").message


def test_a_size_past_the_limit_is_refused_before_anything_is_read(server, tmp_path):
    server.answers["/w.pth"] = (200, {"Content-Length": "2000"}, b"")
    assert "2000 bytes" in refusal(f"{server.address}/w.pth", tmp_path / "w", 1999).message
    assert not (tmp_path / "w").exists()


def test_a_server_that_names_no_size_is_stopped_at_the_limit(server, tmp_path):
    server.answers["/w.pth"] = (200, {}, BODY)
    assert "more than 999 bytes" in refusal(f"{server.address}/w.pth", tmp_path / "w", 999).message


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_error_of_the_server_is_told_with_its_number(server, tmp_path, status):
    server.answers["/w.pth"] = (status, {}, b"")
    error = refusal(f"{server.address}/w.pth", tmp_path / "w")
    assert f"answered {status}" in error.message
    assert "weights import" in error.hint


def test_a_redirection_is_followed(server, tmp_path):
    server.answers["/old"] = (302, {"Location": "/new"}, b"")
    server.answers["/new"] = (200, {}, b"here")
    download(f"{server.address}/old", tmp_path / "w", 100)
    assert (tmp_path / "w").read_bytes() == b"here"


def test_nobody_listening_is_an_answer_too(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert "no answer" in refusal(f"http://127.0.0.1:{port}/w.pth", tmp_path / "w").message


def test_a_server_that_falls_silent_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/w.pth"
        assert "timed out" in refusal(url, tmp_path / "w").message


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/w.pth", "w.pth"])
def test_only_http_addresses_are_asked(url, tmp_path):
    assert "not an http address" in refusal(url, tmp_path / "w").message
