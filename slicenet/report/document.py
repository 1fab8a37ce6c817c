"""What all pages have in common: one file that asks nobody for anything, and no text that acts."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from slicenet import __version__
from slicenet.errors import Notice
from slicenet.images.printable import printable

RESEARCH = "Research use, not a medical device."


def document(
    title: str, body: str, scripts: Sequence[str], data: Mapping[str, str] | None = None
) -> str:
    """A whole page; `body` is markup, `data` are texts that the scripts find by their ids."""
    style = "\n".join(asset(name) for name in ("base.css", *_styles(scripts)))
    code = "\n".join(asset(name) for name in ("theme.js", *scripts))
    held = "\n".join(
        f'<script type="text/plain" id="{escape(name)}">{text}</script>'
        for name, text in (data or {}).items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_policy(code)}">
<meta name="generator" content="slicenet {__version__}">
<link rel="icon" href="data:,">
<style>{style}</style></head>
<body>
{body}
<footer><strong>{RESEARCH}</strong> Made by slicenet {__version__}; nothing here comes from
elsewhere.</footer>
{held}
<script>{code}</script>
</body></html>
"""


def header(title: str, beside: str = "") -> str:
    """The head of a page with what every page must say; `beside` is markup."""
    return (
        f'<header><div><h1>{escape(title)}</h1>{beside}</div><p class="research">{RESEARCH}</p>'
        '<button id="theme" type="button" title="dark, light, or as the system is">'
        "Theme: auto</button></header>"
    )


def escape(text: object) -> str:
    """Text of strangers as text, in markup or in an attribute; one line."""
    return html.escape(printable(text), quote=True)


def as_data(content: Any) -> str:
    """JSON that no text inside can break out of."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def link(path: PurePosixPath | str, shown: str) -> str:
    """A link to a file beside this one."""
    return f'<a href="{quote(str(path), errors="surrogateescape")}">{escape(shown)}</a>'


def picture(png: bytes, told: str, more: str = "") -> str:
    """A PNG inside the page; `more` are attributes."""
    code = base64.b64encode(png).decode()
    return f'<img alt="{escape(told)}" {more}src="data:image/png;base64,{code}">'


def warnings(notices: Iterable[Notice]) -> str:
    """What has to be known before the page is believed."""
    items = [
        f"<li>{escape(one.message)} <code>{escape(one.code)}</code></li>"
        for one in dict.fromkeys(notices)
    ]
    return f'<ul class="warnings" aria-label="Warnings">{"".join(items)}</ul>' if items else ""


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, one below the other."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    return f'<dl class="facts">{rows}</dl>'


def asset(name: str) -> str:
    """A style or a script of this package."""
    return (resources.files("slicenet.report") / "assets" / name).read_text("utf-8").strip()


def _styles(scripts: Sequence[str]) -> tuple[str, ...]:
    return ("viewer.css",) if "viewer.js" in scripts else ("group.css",)


def _policy(code: str) -> str:
    """The browser itself runs no script but ours, and fetches nothing."""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
