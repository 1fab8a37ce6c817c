"""The page of a case in a real browser: what it shows, beside what NumPy counts."""

import base64
import gzip

import numpy as np
import pytest

from slicenet.calibration import Threshold
from slicenet.report.writing import write_report
from tests.slicenet.report.conftest import AFFINE, HOSTILE, calibration

READY = "document.documentElement.dataset.ready === 'yes'"
# Voxels that a plane has in colour.
COLOURED = """(() => { const c = planes[%d].over; const d = c.getContext('2d')
.getImageData(0, 0, c.width, c.height).data; let n = 0;
for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n })()"""
# What is really to be seen of a plane, as one number.
SEEN = """(() => { const c = planes[%d].canvas; return Array.from(c.getContext('2d')
.getImageData(0, 0, c.width, c.height).data).reduce((a, b) => (a * 31 + b) %% 1000003, 7) })()"""
MM = "toMm(state.place)"


@pytest.fixture(scope="module")
def written(make_out, tmp_path_factory):
    """An output with hostile text in it, and its pages."""
    made = make_out(tmp_path_factory.mktemp("viewer"), warning=HOSTILE)
    write_report(made.folder, made.data)
    return made


@pytest.fixture
def shown(page, written):
    """The page of the lesioned case as a visitor finds it."""
    page.said.clear()
    page.asked.clear()
    page.open(written.folder / "sub-1" / "anat" / "sub-1_report.html")
    page.wait(READY)
    page.settle()
    return page


def above(made, value, slices):
    marked = made.brain & (made.scores["sub-1"] > np.float32(value))
    return int(marked[slices].sum())


def test_the_page_complains_of_nothing_and_asks_for_nothing_but_itself(shown, written):
    page = written.folder / "sub-1" / "anat" / "sub-1_report.html"
    assert shown.said == []
    assert shown.asked == [page.resolve().as_uri()]


def test_volumes_come_out_of_the_page_as_they_went_in(shown):
    levels = shown.run("Array.from(state.levels)")
    text = shown.run("byId('levels').textContent")
    assert bytes(levels) == gzip.decompress(base64.b64decode(text))


def test_the_threshold_slides_exactly_over_calibrated_rates(shown, written):
    z = shown.run("Math.round((toMm(state.place)[2] + 20) / 4)")
    at_mask = shown.run(COLOURED % 0)
    assert at_mask == above(written, written.threshold, np.s_[:, :, z])
    seen = shown.run(SEEN % 0)
    for rate in (0.001, 0.05):
        shown.run(f"""(() => {{ const s = byId('threshold');
            s.value = FACTS.rates.findIndex((r) => Math.abs(r - {rate}) < 1e-9);
            s.dispatchEvent(new Event('input')) }})()""")
        shown.settle()
        value = calibration().value(Threshold("fpr", rate))
        assert shown.run(COLOURED % 0) == above(written, value, np.s_[:, :, z])
        assert f"{100 * rate:g} %" in shown.run("byId('threshold-told').textContent")
    assert shown.run(SEEN % 0) != seen
    shown.click("byId('reset')")
    assert shown.run(COLOURED % 0) == at_mask


def test_a_click_on_a_piece_moves_the_crosshair_to_its_centroid(shown, written):
    rows = shown.run("pieces.map((row) => row.dataset.mm.split(',').map(Number))")
    for at in (1, 0):
        shown.click(f"pieces[{at}].cells[2]")
        assert np.abs(np.array(shown.run(MM)) - rows[at]).max() <= 2.0  # half a voxel of 4 mm
        assert shown.run(f"pieces[{at}].classList.contains('chosen')")
    shown.click("pieces[0].querySelector('td [data-mm]')")
    peak = np.unravel_index(written.scores["sub-1"].argmax(), written.brain.shape)
    np.testing.assert_allclose(shown.run(MM), (AFFINE @ [*peak, 1])[:3], atol=1e-6)
    shown.press("n")
    assert shown.run("pieces[1].classList.contains('chosen')")


def test_keys_move_the_crosshair_as_the_picture_lies(shown):
    shown.run("moveTo([8, 9, 7])")
    shown.click("byId('coronal').querySelector('b')")  # elsewhere: letters work all the same
    shown.run("planes[0].canvas.focus()")
    start = np.array(shown.run("state.place"))
    for key, step in (
        ("ArrowLeft", (1, 0, 0)), ("ArrowRight", (-1, 0, 0)), ("ArrowUp", (0, 1, 0)),
        ("ArrowDown", (0, -1, 0)), ("PageUp", (0, 0, 1)), ("[", (0, 0, -1)),
    ):  # fmt: skip
        before = np.array(shown.run("state.place"))
        shown.press(key)
        assert (np.array(shown.run("state.place")) - before).tolist() == list(step), key
    assert shown.run("state.place") == start.tolist()
    seen = shown.run(SEEN % 0)
    shown.press("o")
    assert not shown.run("byId('overlay').checked")
    assert shown.run(SEEN % 0) != seen
    shown.press("o")
    shown.press("t")
    assert shown.run("state.truth") is False
    shown.press("-")
    assert shown.run("byId('opacity-told').textContent") == "60 %"


def test_the_wheel_turns_slices_and_a_click_sets_the_place(shown):
    z = shown.run("state.place[2]")
    shown.wheel("planes[0].canvas", 100)
    shown.wait(f"state.place[2] === {z - 1}")
    shown.click("planes[0].canvas")
    middle = [size // 2 for size in shown.run("FACTS.shape")]
    assert np.abs(np.array(shown.run("state.place"))[:2] - middle[:2]).max() <= 1


def test_what_is_told_of_a_place_is_what_the_map_holds(shown, written):
    x, y, z = 7, 9, 6
    shown.run(f"moveTo(toVoxel({(AFFINE @ [x, y, z, 1])[:3].tolist()}))")
    shown.settle()
    told = {what: shown.run(f"byId('at-{what}').textContent") for what in ("mm", "score", "grey")}
    assert told["mm"].replace("−", "-").split() == ["-9.0", "-13.0", "4.0"]
    assert float(told["score"]) == pytest.approx(written.scores["sub-1"][x, y, z], rel=2e-3)
    grey = float(told["grey"].lstrip("≈≤≥ "))
    assert grey == pytest.approx(written.images["sub-1"][x, y, z], abs=0.5)


def test_left_is_marked_and_truth_is_drawn_where_it_is(shown):
    assert shown.run("PLANES.axial.letters") == "RLAP"
    # The right edge of the picture is the patient's left: the lowest x.
    right = shown.run("toMm(voxelOf(planes[0], planes[0].width - 1, 0))[0]")
    assert right < shown.run("toMm(voxelOf(planes[0], 0, 0))[0]")
    shown.run("moveTo(toVoxel([-9, -13, 4])); state.cross = false; redraw()")
    shown.settle()
    with_truth = shown.run(SEEN % 0)
    shown.click("byId('truth')")
    assert shown.run(SEEN % 0) != with_truth


def test_b41_hostile_text_is_seen_as_text(shown):
    assert HOSTILE in shown.run("document.querySelector('.warnings').textContent")
    assert shown.run("document.querySelectorAll('img[src=x]').length") == 0


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1280, False)])
def test_nothing_is_wider_than_the_screen_and_the_theme_follows(page, written, width, dark):
    page.open(written.folder / "sub-1" / "anat" / "sub-1_report.html", width, 844, dark)
    page.wait(READY)
    page.run("setTheme('auto')")  # which the browser may remember otherwise
    page.settle()
    assert page.run("document.documentElement.scrollWidth") == width
    tops = page.run("planes.map((plane) => plane.canvas.getBoundingClientRect().top)")
    assert len(set(tops)) == (3 if width == 390 else 1)
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    assert (int(ground.strip("rgb()").split(",")[0]) < 60) == dark
    page.click("byId('theme')")
    dark_now = page.run("getComputedStyle(document.body).backgroundColor")
    assert int(dark_now.strip("rgb()").split(",")[0]) < 60
