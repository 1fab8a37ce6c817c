import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.slicenet.images.bad_headers import hostile_description


@pytest.fixture(scope="module")
def scored(slicenet, brains, run, tmp_path_factory):
    out = tmp_path_factory.mktemp("scored")
    two = [brains / f"sub-0{i}" / "anat" / f"sub-0{i}_T1w.nii.gz" for i in (1, 8)]
    done = slicenet("score", run, *two, "--out", out, "--report")
    assert done.exit_code == 0, done.output
    assert f"open {out / 'group.html'}" in done.stdout
    return out


def test_score_writes_the_pages_that_report_writes(slicenet, brains, scored):
    page = scored / "sub-08" / "anat" / "sub-08_report.html"
    assert "W_NO_IMAGE" not in page.read_text()
    done = slicenet("report", scored)
    assert done.exit_code == 0, done.output
    assert "3 pages, 0 written, 0 failed" in done.stdout
    with_truth = json.loads(slicenet("report", scored, "--truth", brains, "--json").stdout)
    assert [name.rpartition("/")[2] for name in with_truth["changed"]] == [
        "sub-08_report.html", "group.html",
    ]  # fmt: skip


def test_an_output_that_was_moved_finds_its_images_where_they_are_named(
    slicenet, brains, scored, tmp_path
):
    moved = tmp_path / "far" / "away" / "out"
    shutil.copytree(scored, moved)
    page = moved / "sub-08" / "anat" / "sub-08_report.html"
    slicenet("report", moved)
    assert "W_NO_IMAGE" in page.read_text()
    slicenet("report", moved, "--images", brains)
    assert "W_NO_IMAGE" not in page.read_text()


def test_failures_are_told_of_and_shown(slicenet, brains, run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.nii.gz").write_bytes(b"")
    scan = brains / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    shutil.copy(scan, tmp_path / "in" / "good.nii.gz")
    out = tmp_path / "out"
    assert slicenet("score", run, tmp_path / "in", "--out", out, "--report").exit_code == 3
    done = slicenet("report", out, "--json")
    assert done.exit_code == 0
    assert [one["case"] for one in json.loads(done.stdout)["failed"]] == ["bad"]
    assert "E_EMPTY" in (out / "group.html").read_text()


def test_a_damaged_map_ends_with_3_and_no_map_with_4(slicenet, scored, tmp_path):
    shutil.copytree(scored, tmp_path / "out")
    heatmaps = sorted((tmp_path / "out").rglob("*heatmap.nii.gz"))
    heatmaps[0].write_bytes(b"junk")
    done = slicenet("report", tmp_path / "out")
    assert done.exit_code == 3
    assert "failed sub-01" in done.stderr
    heatmaps[1].write_bytes(b"junk")
    assert slicenet("report", tmp_path / "out").exit_code == 4
    (tmp_path / "empty").mkdir()
    assert slicenet("report", tmp_path / "empty").exit_code == 4


def test_b41_texts_of_a_header_come_to_no_file_that_is_left(slicenet, run, tmp_path):
    path = hostile_description(tmp_path)
    done = slicenet("score", run, path, "--out", tmp_path / "out", "--report")
    assert done.exit_code == 0, done.output
    for left in filter(Path.is_file, (tmp_path / "out").rglob("*")):
        content = left.read_bytes()
        content = gzip.decompress(content) if left.suffix == ".gz" else content
        assert b"alert(1)" not in content, left
        assert b"\x1b[2J" not in content, left
