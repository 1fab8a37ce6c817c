"""Whether everything that a built site points to is there, and nothing is fetched from elsewhere.

    python docs/builder/links.py build/docs

Pages elsewhere may be linked to, and are not asked: the check needs no network.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

ELSEWHERE = ("http", "https", "mailto", "data")


@dataclass
class Page(HTMLParser):
    """What a page has and what it asks for."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)  # to follow
    loads: list[str] = field(default_factory=list)  # fetched along with the page

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        held = {name: value for name, value in attributes if value}
        self.ids |= {held[name] for name in ("id", "name") if name in held}
        if "href" in held:
            follows = tag == "a" or held.get("rel") in ("next", "prev", "index", "search")
            (self.links if follows else self.loads).append(held["href"])
        self.loads += [held[name] for name in ("src", "poster") if name in held]


def faults(site: Path) -> Iterator[str]:
    """A line for each link that leads nowhere, and each file that lies elsewhere."""
    pages = {file.resolve(): read(file) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        for link in page.loads:
            if urlsplit(link).scheme in ("http", "https") or link.startswith("//"):
                yield f"{file.name}: fetches {link}"
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme in ELSEWHERE or parts.netloc:
                continue
            meant = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not meant.is_file():
                yield f"{file.name}: nothing at {link}"
            elif (
                meant in pages
                and parts.fragment
                and unquote(parts.fragment) not in pages[meant].ids
            ):
                yield f"{file.name}: no such place {link}"


def read(file: Path) -> Page:
    page = Page()
    page.feed(file.read_text("utf-8"))
    return page


if __name__ == "__main__":
    place = Path(sys.argv[1])
    found = list(faults(place))
    for line in found:
        click.echo(line, err=True)
    count = len(list(place.rglob("*.html")))
    click.echo(f"{count} pages, {len(found)} links that lead nowhere or fetch from elsewhere")
    sys.exit(bool(found) or not count)
