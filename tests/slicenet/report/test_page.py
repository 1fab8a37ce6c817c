import json
import re
from dataclasses import replace

import numpy as np
import pytest

from slicenet.components import components
from slicenet.report.folder import read_folder
from slicenet.report.page import subject
from slicenet.report.reading import Sources, read_layers
from tests.slicenet.report.conftest import HOSTILE


def page(made, at=0):
    found = read_folder(made.folder)
    entry = found.entries[at]
    layers, notices = read_layers(entry, Sources(made.folder))
    return subject(found, entry, layers, notices)


def test_the_table_holds_the_pieces_above_the_threshold(out):
    made = page(out)
    above = out.brain & (out.scores["sub-1"] > np.float32(out.threshold))
    affine = read_layers(read_folder(out.folder).entries[0], Sources(out.folder))[0].affine
    _, found = components(out.scores["sub-1"], above, affine)
    assert made.pieces == len(found)
    rows = re.findall(r'<tr data-mm="([^"]+)">', made.html)
    places = [tuple(map(float, row.split(","))) for row in rows]
    assert places == [pytest.approx(one.centroid, abs=1e-3) for one in found[: len(rows)]]


def test_the_page_asks_nobody_for_anything(out):
    html = page(out).html
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(http|//)""", html)
    assert not re.search(r"@import|url\(", html)
    assert len(html) < 5_000_000


def test_it_says_where_the_score_lies_and_what_is_wrong(make_out, tmp_path):
    html = page(make_out(tmp_path, warning="no orientation")).html
    assert "p = 0.1" in html
    assert "12 healthy subjects" in re.sub(r"\s+", " ", html)
    assert "no orientation" in html
    assert "phantoms only" in html
    assert html.count('class="healthy"') == 12


def test_a_volume_score_of_before_the_drift_says_so(make_out, tmp_path):
    out = make_out(tmp_path)
    assert "map.drift" not in page(out).html
    run = json.loads((out.folder / "run.json").read_text())
    run["model"]["settings"]["map"] = {"drift": {"kind": "level"}}
    (out.folder / "run.json").write_text(json.dumps(run))
    assert "strangest voxels, before <code>map.drift</code> (level)" in page(out).html


def test_a_hostile_warning_is_text(make_out, tmp_path):
    html = page(make_out(tmp_path, warning=HOSTILE)).html
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_without_a_calibration_there_is_a_page_without_rates(make_out, tmp_path):
    html = page(make_out(tmp_path, calibrated=False)).html
    assert "no calibration is known" in html
    assert "<b>p = " not in html


def test_the_same_case_gives_the_same_page(out):
    assert page(out).html == page(out).html


def test_a_picture_has_one_plane_and_pixels(scored, out):
    entry = scored.entries[0]
    layers, _ = read_layers(entry, Sources(out.folder))
    flat = replace(
        layers, scores=layers.scores[:, :, 6:7], brain=layers.brain[:, :, 6:7],
        image=layers.image[:, :, 6:7],
    )  # fmt: skip
    html = subject(scored, entry, flat, []).html
    assert html.count("<canvas tabindex") == 1
    assert "<b>picture</b>" in html
    assert ">pixels<" in html
