"""A made-up site with one fault of each kind."""

import pytest

from docs.builder import links

WHOLE = '<h1 id="top">x</h1><a href="b.html#there">b</a><a href="https://example.org">out</a>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "a.html").write_text(WHOLE)
    (tmp_path / "b.html").write_text('<p id="there"></p><img src="one%20two.png"><a href="#there">')
    (tmp_path / "one two.png").write_bytes(b"")
    return tmp_path


def test_a_whole_site_has_no_faults(site):
    assert list(links.faults(site)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('<a href="c.html">', "nothing at c.html"),
        ('<a href="b.html#elsewhere">', "no such place b.html#elsewhere"),
        ('<a href="#elsewhere">', "no such place #elsewhere"),
        ('<img src="c.png">', "nothing at c.png"),
        ('<script src="https://example.org/x.js"></script>', "fetches https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "fetches //example.org/x.css"),
        ('<link rel="next" href="c.html">', "nothing at c.html"),
    ],
)
def test_each_fault_is_told_with_its_page(site, more, said):
    (site / "a.html").write_text(WHOLE + more)
    assert list(links.faults(site)) == [f"a.html: {said}"]
