"""Pages that show what stands elsewhere in the repository, so that nothing is written twice.

A line `<!-- README.md: Backends; Compare -->` becomes those sections of that file, and
`<!-- CHANGELOG.md -->` all of it. Their links go where the site has what they name.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(r"^<!-- (?P<file>[\w./-]+\.md)(?:: (?P<titles>.+))? -->$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s]+)(?=\))")
FENCE = "```"


def lines_of(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it can be a heading: not within a block of code."""
    fenced = False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith(FENCE)
        yield line, not fenced


def sections(text: str) -> dict[str, str]:
    """The text of each `##` heading, itself included; what comes before goes under no name."""
    found = {"": ""}
    title = ""
    for line, free in lines_of(text):
        if free and line.startswith("## "):
            title = line.removeprefix("## ").strip()
            found[title] = ""
        found[title] += line
    return found


def titles(match: re.Match[str]) -> list[str]:
    return match["titles"].split("; ") if match["titles"] else []


def shown(docs: Path) -> dict[tuple[str, str], str]:
    """Which page shows which section of which file, and which file as a whole (no title)."""
    found: dict[tuple[str, str], str] = {}
    for page in sorted(docs.rglob("*.md")):
        name = page.relative_to(docs).as_posix()
        for match in PART.finditer(page.read_text("utf-8")):
            for title in titles(match) or [""]:
                found[match["file"], title] = name
    return found


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def anchors(text: str) -> dict[str, str]:
    """Each anchor of a file, and the `##` section that it lies in."""
    return {
        slug(line.lstrip("# ").strip()): title
        for title, body in sections(text).items()
        for line, free in lines_of(body)
        if free and line.startswith(("## ", "### "))
    }


def target(link: str, file: str, page: str, where: dict[tuple[str, str], str]) -> str:
    """The same link, from a page of the site."""
    if "://" in link or link.startswith("mailto:"):
        return link
    path, _, anchor = link.partition("#")
    meant = os.path.normpath(PurePosixPath(file).parent / path) if path else file
    title = ""
    if anchor and (ROOT / meant).suffix == ".md":
        title = anchors((ROOT / meant).read_text("utf-8")).get(anchor, "")
    to = where.get((meant, title)) or where.get((meant, ""))
    if to is None and meant.startswith("docs/"):
        to = meant.removeprefix("docs/")
    to = to or f"../{meant}"
    if to == page:
        return f"#{anchor}"
    relative = os.path.relpath(to, PurePosixPath(page).parent)
    return f"{relative}#{anchor}" if anchor else relative


def assembled(text: str, page: str, where: dict[tuple[str, str], str]) -> str:
    """A page with its parts in place."""

    def part(match: re.Match[str]) -> str:
        whole = (ROOT / match["file"]).read_text("utf-8")
        held = sections(whole)
        chosen = "\n".join(held[title] for title in titles(match)) if match["titles"] else whole
        return LINK.sub(lambda link: target(link["target"], match["file"], page, where), chosen)

    return PART.sub(part, text)


def setup(app: Sphinx) -> dict[str, bool]:
    where = shown(Path(app.srcdir))

    def read(_: Sphinx, name: str, source: list[str]) -> None:
        source[0] = assembled(source[0], f"{name}.md", where)

    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
