"""Sections of README on pages of their own, with links that still lead somewhere."""

from docs.builder import parts

TEXT = "# A\nhead\n\n## One two\nfirst\n```\n## not a heading\n```\n### Deep\n\n## Three\nlast\n"


def test_sections_go_by_their_headings_and_none_is_lost():
    held = parts.sections(TEXT)
    assert list(held) == ["", "One two", "Three"]
    assert "".join(held.values()) == TEXT
    assert "## not a heading" in held["One two"]


def test_anchors_are_those_of_headings_and_know_their_section():
    assert parts.anchors(TEXT) == {
        "one-two": "One two", "deep": "One two", "three": "Three",
    }  # fmt: skip


def test_links_lead_to_where_the_site_has_it():
    where = {("README.md", "Limits"): "maps.md", ("CONTRIBUTING.md", ""): "contributing.md"}

    def led(link: str, page: str = "quickstart.md") -> str:
        return parts.target(link, "README.md", page, where)

    assert led("#limits") == "maps.md#limits"
    assert led("#limits", "maps.md") == "#limits"
    assert led("#limits", "methods/index.md") == "../maps.md#limits"
    assert led("CONTRIBUTING.md") == "contributing.md"
    assert led("docs/demo.png") == "demo.png"
    assert led("docs/results/ixi/comparison.md", "results.md") == "results/ixi/comparison.md"
    assert led("LICENSE") == "../LICENSE"
    assert led("https://example.org/#x") == "https://example.org/#x"


def test_a_page_is_put_together(monkeypatch, tmp_path):
    (tmp_path / "README.md").write_text(TEXT.replace("last", "[up](#deep)"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# Page\n\n<!-- README.md: Three; One two -->\n")
    (tmp_path / "docs/b.md").write_text("<!-- README.md -->\n")
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    where = parts.shown(tmp_path / "docs")
    assert where[("README.md", "Three")] == "a.md"
    assert where[("README.md", "")] == "b.md"
    page = parts.assembled((tmp_path / "docs/a.md").read_text(), "a.md", where)
    assert page.index("## Three") < page.index("[up](#deep)") < page.index("## One two")
    assert parts.assembled("<!-- README.md -->", "b.md", where).startswith("# A\nhead")
