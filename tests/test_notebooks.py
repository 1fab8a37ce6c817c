"""Notebooks are stored without output; running them is nbmake's task."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = ROOT / "docs/notebooks"
# What a failed cell, a machine or a chance leaves in a page.
UNWANTED = re.compile(
    r"Traceback|\x1b|Warning\b|/tmp/|/home/|/root/|/Users/|site-packages|<Figure "
)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_kept(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    assert cells[0]["cell_type"] == "markdown"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_is_defined_that_another_file_could_use(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    source = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "\ndef " not in source
    assert "\nclass " not in source


def test_every_page_has_its_notebook():
    assert sorted(page.stem for page in PAGES.glob("*.md")) == [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_has_a_page_with_all_its_words(path):
    page = (PAGES / f"{path.stem}.md").read_text("utf-8")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]).strip() for cell in cells]
    assert [source for source in sources if source not in page] == [], "run `make notebooks`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_page_holds_an_error_or_tells_of_a_machine(path):
    page = (PAGES / f"{path.stem}.md").read_text("utf-8")
    assert UNWANTED.findall(page) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_shows_the_figures_that_lie_beside_it_and_no_others(path):
    page = (PAGES / f"{path.stem}.md").read_text("utf-8")
    shown = re.findall(r"\((\S+?\.png)\)", page)
    kept = [file.relative_to(PAGES).as_posix() for file in PAGES.glob(f"{path.stem}_files/*")]
    assert sorted(shown) == sorted(kept)
    assert shown, "each answers with a figure"
