from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def maps(slicenet, brains, run, tmp_path_factory):
    out = tmp_path_factory.mktemp("maps")
    image = brains / "sub-08" / "anat" / "sub-08_T1w.nii.gz"
    assert slicenet("score", run, image, "--out", out).exit_code == 0
    return out / "sub-08" / "anat"


def test_a_page_is_made_and_its_place_is_all_that_is_printed(slicenet, maps, tmp_path):
    heatmap = maps / "sub-08_desc-anomaly_heatmap.nii.gz"
    out = tmp_path / "page.html"
    done = slicenet("view", heatmap, "--out", out, "--no-open")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out}\n"
    assert done.stderr == ""
    assert "above the threshold" in out.read_text()


def test_pieces_and_masks_can_be_looked_at_too(slicenet, brains, maps, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = brains / "sub-08" / "anat" / "sub-08_T1w.nii.gz"
    pieces = maps / "sub-08_desc-anomaly_dseg.nii.gz"
    done = slicenet("view", pieces, "--image", image, "--no-open")
    assert done.exit_code == 0, done.output
    page = Path(done.stdout.strip())
    assert page.name == "sub-08_desc-anomaly_dseg.html"
    assert page.is_relative_to(tmp_path)
    assert page.is_file()


def test_a_report_is_opened_as_it_is(slicenet, maps):
    report = maps / "sub-08_report.html"
    report.write_text("report")
    done = slicenet("view", maps / "sub-08_desc-anomaly_heatmap.nii.gz", "--no-open")
    report.unlink()
    assert done.stdout == f"{report}\n"


@pytest.mark.parametrize(("words", "code"), [(("--out", "page.txt"), 2), (("--image", "no"), 2)])
def test_wrong_words_are_refused(slicenet, maps, words, code):
    heatmap = maps / "sub-08_desc-anomaly_heatmap.nii.gz"
    assert slicenet("view", heatmap, *words, "--no-open").exit_code == code


def test_what_is_no_volume_is_refused(slicenet, tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"<html>")
    done = slicenet("view", tmp_path / "a.nii.gz", "--no-open")
    assert done.exit_code == 4
    assert "E_NOT_NIFTI" in done.stderr
