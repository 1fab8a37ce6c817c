import json
import re
from html.parser import HTMLParser

import nibabel as nib
import numpy as np
import pytest

from slicenet import viewer
from slicenet.errors import VolumeError
from slicenet.files import digest

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


class Addresses(HTMLParser):
    """Every address that the elements of a page name."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [value for key, value in attributes if key in ("src", "href") and value]


@pytest.fixture
def scored(tmp_path):
    """A map of one case as `slicenet score` leaves it, and the image that it was made from."""
    image = tmp_path / "in" / "a.nii.gz"
    image.parent.mkdir()
    noise = np.random.default_rng(0).uniform(0, 1, (12, 14, 10)).astype(np.float32)
    nib.save(nib.Nifti1Image(noise, AFFINE), image)
    heatmap = tmp_path / "out" / "a" / f"a{viewer.HEATMAP}"
    heatmap.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(noise, AFFINE), heatmap)
    told = {
        "row": {"folder": "a"}, "threshold": {"value": 0.95},
        "sources": [{"path": "../in/a.nii.gz", "sha256": digest(image)}],
    }  # fmt: skip
    heatmap.with_name(f"a{viewer.SIDECAR}").write_text(json.dumps(told))
    return heatmap, image


def test_the_page_needs_nothing_but_itself(scored):
    text = viewer.page(*scored)
    assert "above the threshold of 0.95" in text
    found = Addresses(text).found
    assert len(found) == 3  # image, map and colours
    assert all(address.startswith("data:image/png;base64,") for address in found)
    assert not re.findall(r"url\(\s*['\"]?(?!data:)[a-z/]", text)
    # What a browser is told to refuse before anything else is read.
    head = text[: text.index("<script")]
    assert "default-src data: blob:" in head
    assert "http" not in head.replace("http-equiv", "")


def test_the_page_spans_the_map(scored):
    text = viewer.page(scored[0], None)
    shown = json.loads(re.search(r"brainsprite\((\{.*\})\)", text)[1])
    assert shown["nbSlice"] == {"X": 12, "Y": 14, "Z": 10}
    # It counts slices from 1.
    assert np.allclose(np.array(shown["affine"]) @ (1, 1, 1, 1), (0, 0, 0, 1))
    assert np.allclose(np.array(shown["affine"])[:3, :3], AFFINE[:3, :3])


@pytest.mark.parametrize(
    ("values", "title"),
    [
        (np.arange(60) / 60, "strangest tenth, above 0.8"),
        (np.arange(60) - 99, "above -45.9"),
        (np.arange(60) // 50, "all of it; nothing lies above 3"),
    ],
)
def test_a_map_that_stays_below_the_threshold_is_still_shown(scored, values, title):
    path = scored[0].with_name(f"a{viewer.SIDECAR}")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"threshold": {"value": 3}}))
    image = nib.Nifti1Image(values.reshape(3, 4, 5).astype(np.float32), AFFINE)
    nib.save(image, scored[0])
    assert title in viewer.page(scored[0], None)


def test_the_image_is_the_one_that_was_scored_or_none(scored):
    heatmap, image = scored
    found, notices = viewer.image_of(heatmap)
    assert (found.resolve(), notices) == (image, ())
    image.write_bytes(image.read_bytes() + b"!")
    found, notices = viewer.image_of(heatmap)
    assert found is None
    assert [notice.code for notice in notices] == ["W_SOURCE"]
    assert viewer.image_of(image) == (None, ())


def test_a_report_beside_the_map_comes_first(scored):
    heatmap, _ = scored
    assert viewer.beside(heatmap) is None
    overlay, report = (heatmap.with_name(f"a{each}") for each in (viewer.OVERLAY, viewer.REPORT))
    overlay.write_text("picture")
    assert viewer.beside(heatmap) == overlay
    report.write_text("report")
    assert viewer.beside(heatmap) == report
    assert viewer.beside(heatmap.with_name("b.nii.gz")) is None


def test_of_one_value_there_is_nothing_to_see(scored):
    nib.save(nib.Nifti1Image(np.zeros((5, 5, 5), np.float32), AFFINE), scored[0])
    with pytest.raises(VolumeError, match="all voxels are 0"):
        viewer.page(scored[0], None)


def test_one_slice_is_no_brain_to_turn(tmp_path):
    path = tmp_path / "flat.nii"
    nib.save(nib.Nifti1Image(np.ones((5, 5, 1), np.float32), AFFINE), path)
    with pytest.raises(VolumeError, match="one slice"):
        viewer.page(path, None)


def test_without_a_screen_no_browser_is_started(tmp_path, monkeypatch):
    for name in viewer.SCREENS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.open", lambda address: pytest.fail(address))
    assert not viewer.show(tmp_path / "a.html")


def test_with_a_screen_the_page_is_opened(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setenv("BROWSER", "any")
    monkeypatch.setattr("webbrowser.open", lambda address: not opened.append(address))
    assert viewer.show(tmp_path / "a b.html")
    assert opened == [(tmp_path / "a b.html").as_uri()]
