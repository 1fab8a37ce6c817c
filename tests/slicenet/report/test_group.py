import json
import re
from pathlib import Path

import pytest

from slicenet.report.folder import Failure, read_folder
from slicenet.report.group import Drawn, Section, group_page
from slicenet.report.writing import write_report
from tests.slicenet.report.conftest import HOSTILE

NAMES = ("sub-1", "sub-2", "sub-10")


@pytest.fixture(scope="module")
def written(make_out, tmp_path_factory):
    made = make_out(tmp_path_factory.mktemp("group"), NAMES)
    line = {"case": "sub-9", "code": "E_EMPTY", "message": HOSTILE, "hint": "copy it again"}
    (made.folder / "status.jsonl").write_text(json.dumps(line) + "\n")
    write_report(made.folder)
    return made


def test_links_lead_to_pages_from_wherever_the_page_lies(written):
    found = read_folder(written.folder)
    drawn = [Drawn(entry, b"png", 3) for entry in found.entries]
    for place in (written.folder, written.folder.parent, written.folder.parents[1]):
        page = group_page(found, drawn, place=place)
        links = re.findall(r'href="([^"]+html)"', page)
        assert len(links) == 3
        assert all((place / link).is_file() for link in links)


def test_a_failure_is_a_row_with_its_reason_and_what_would_help(written):
    page = (written.folder / "group.html").read_text()
    assert "3 scored, 1 failed" in page
    row = re.search(r"<tr class=failed>.*?</tr>", page)[0]
    assert "sub-9" in row
    assert "E_EMPTY" in row
    assert "copy it again" in row
    assert "<img src=x" not in page


def test_sections_and_those_that_could_not_be_shown_are_on_the_page(scored):
    lost = Failure("sub-7", "E_CRC", "is damaged", "")
    page = group_page(scored, [], [lost], title="mine", before=[Section("a < b", "<p>x</p>")])
    assert "a &lt; b" in page
    assert "<p>x</p>" in page
    assert "is damaged" in page
    assert "<title>mine" in page


def test_thumbnails_stay_within_their_room(scored):
    drawn = [Drawn(entry, b"x" * 2_000_000, 1) for entry in scored.entries]
    page = group_page(scored, drawn)
    assert page.count("data:image/png") == 1
    assert page.count("_report.html") == 2


def names(page):
    return page.run("[...table.tBodies[0].rows].map((row) => row.cells[1].textContent)")


def test_headings_sort_and_the_field_finds(page, written):
    page.said.clear()
    page.asked.clear()
    path: Path = written.folder / "group.html"
    page.open(path)
    assert page.said == []
    assert page.asked == [path.resolve().as_uri()]
    scores = {e.file.name: e.row["score"] for e in read_folder(written.folder).entries}
    falling = sorted(scores, key=lambda name: -scores[name])
    assert names(page) == [*falling, "sub-9"]
    page.click("table.tHead.rows[0].cells[2].querySelector('button')")
    assert names(page) == [*falling[::-1], "sub-9"]  # what failed has no score: last
    page.click("table.tHead.rows[0].cells[1].querySelector('button')")
    page.click("table.tHead.rows[0].cells[1].querySelector('button')")
    assert names(page) == ["sub-1", "sub-2", "sub-9", "sub-10"]  # as people count
    page.run("(() => { const f = byId('filter'); f.value = 'empty';"
             "f.dispatchEvent(new Event('input')) })()")  # fmt: skip
    assert page.run("[...table.tBodies[0].rows].filter((row) => !row.hidden).length") == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_screen(page, written, width):
    page.open(written.folder / "group.html", width, 844)
    assert page.run("document.documentElement.scrollWidth") == width
