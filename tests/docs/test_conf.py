"""The site as `make docs` builds it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.builder import links
from slicenet.backends import BACKENDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Everything built anew; a warning is an error."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-d", folder / "trees"]
    subprocess.run([*command, ROOT / "docs", folder / "site"], check=True)
    return folder / "site"


def test_every_link_leads_somewhere_and_nothing_is_fetched(site):
    assert list(links.faults(site)) == []


def test_every_page_says_what_the_tool_is_for(site):
    pages = [*site.rglob("*.html")]
    assert len(pages) > 30
    assert all("Research use, not a medical device." in page.read_text() for page in pages)


def test_docstrings_and_equations_arrive(site):
    api = (site / "api.html").read_text()
    for name in ("slicenet.load", "slicenet.Detector", "slicenet.metrics.evaluate"):
        assert f'id="{name}"' in api
    assert "<math " in (site / "methods/simpleslicenet.html").read_text()
    assert "problematic" not in "".join(page.read_text() for page in site.rglob("*.html"))


def test_every_backend_has_its_equations_in_one_place():
    found = [
        name
        for page in sorted((ROOT / "docs/methods").glob("*.md"))
        for name in re.findall(r"^## `(.+)`$", page.read_text("utf-8"), re.MULTILINE)
    ]
    assert sorted(found) == sorted(BACKENDS)
