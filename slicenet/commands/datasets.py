"""`slicenet datasets`: public data sets that slicenet knows, and which of them a folder holds."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import echo_json, json_option
from slicenet.errors import NoInputError

if TYPE_CHECKING:
    from slicenet.datasets import Found, Layout


@click.command()
@click.argument("asked", required=False, metavar="[NAME|FOLDER]")
@json_option
def command(asked: str | None, json_output: bool) -> None:
    """List public data sets, tell all of one, or say which one a FOLDER holds.

    Nothing is ever downloaded: a data set is got from its own page, on its own terms.
    """
    from slicenet.datasets import LAYOUTS

    if asked is None:
        every = list(LAYOUTS.values())
        echo_json([_facts(one) for one in every]) if json_output else click.echo(_listed(every))
    elif asked in LAYOUTS:
        layout = LAYOUTS[asked]
        echo_json(_facts(layout)) if json_output else click.echo(_told(layout))
    else:
        found = _recognised(asked)
        summary = _summary(found)
        echo_json(summary) if json_output else click.echo(_contents(found, summary))


def _recognised(asked: str) -> "Found":
    from slicenet.config import suggest
    from slicenet.datasets import LAYOUTS, recognise

    folder = Path(asked)
    if not folder.is_dir():
        hint = suggest(asked, list(LAYOUTS))
        raise NoInputError(f"{asked}: neither a data set nor a folder", "E_NOT_FOUND", hint)
    found = recognise(folder)
    if found is None:
        raise NoInputError(
            f"{folder}: in the layout of no data set that is known here", "E_NO_INPUT",
            "BIDS, tables and plain folders need none: see `slicenet check`",
        )  # fmt: skip
    return found


def _facts(layout: "Layout") -> dict[str, Any]:
    names = ("name", "title", "what", "where", "terms", "reference", "roles", "versions")
    return {
        **{name: getattr(layout, name) for name in names},
        "modalities": layout.modalities or ["picture"],
        "pictures": layout.flat,
        "tree": layout.tree.splitlines(),
    }


def _listed(layouts: list["Layout"]) -> str:
    from slicenet.cohort.table import pad, wrapped

    width = max(len(layout.name) for layout in layouts) + 2
    lines = []
    for layout in layouts:
        kinds = ", ".join(layout.modalities) or "pictures"
        texts = (
            f"{layout.title}: {layout.what}",
            f"{kinds}; {layout.roles}",
            f"{layout.where}; {layout.terms}",
        )
        for start, text in zip((layout.name, "", ""), texts, strict=True):
            lines += wrapped(pad(start, width), text)
    return "\n".join(lines)


def _told(layout: "Layout") -> str:
    from slicenet.cohort.table import pad, wrapped

    rows = {
        "what": layout.what,
        "where": layout.where,
        "terms": layout.terms,
        "cite": layout.reference,
        "roles": layout.roles,
        "files": ", ".join(layout.modalities) or "pictures",
        "versions": ", ".join(layout.versions),
    }
    lines = [layout.title]
    for start, text in rows.items():
        lines += wrapped(pad(f"  {start}", 12), text) if text else []
    return "\n".join([*lines, "  layout", *_drawn(layout.tree.splitlines())])


def _drawn(paths: list[str]) -> list[str]:
    """Paths as a tree, each folder once."""
    lines: list[str] = []
    above: list[str] = []
    for path in paths:
        parts = path.split("/")
        shared = 0
        while shared < min(len(parts), len(above)) and parts[shared] == above[shared]:
            shared += 1
        for depth in range(shared, len(parts)):
            folder = "/" if depth < len(parts) - 1 else ""
            lines.append(f"    {'  ' * depth}{parts[depth]}{folder}")
        above = parts
    return lines


def _summary(found: "Found") -> dict[str, Any]:
    scans = found.scans
    groups = {scan.subject: scan.group or "unknown" for scan in scans}
    kinds = Counter(kind or "picture" for scan in scans for kind in scan.images)
    return {
        "name": found.layout.name,
        "subjects": len(groups),
        "groups": dict(sorted(Counter(groups.values()).items())),
        "sites": dict(sorted(Counter(scan.site for scan in scans if scan.site).items())),
        "scans": len(scans),
        "images": dict(kinds),
        "versions": dict(Counter(scan.version for scan in scans if scan.version)),
        "truths": sum(scan.truth is not None for scan in scans),
        "brain_masks": sum(scan.mask is not None for scan in scans),
        "for_testing": sum(scan.tests for scan in scans),
        "foreign": len(found.foreign),
    }


def _contents(found: "Found", summary: dict[str, Any]) -> str:
    def counted(key: str) -> str:
        return ", ".join(f"{count} {name}" for name, count in summary[key].items())

    lines = [f"{found.layout.title}: {summary['subjects']} subjects ({counted('groups')})"]
    lines.append(f"  {summary['scans']} scans: {counted('images')}")
    lines += [f"  {key}: {counted(key)}" for key in ("sites", "versions") if summary[key]]
    lines.append(
        f"  truth for {summary['truths']}, brain mask for {summary['brain_masks']}, "
        f"{summary['for_testing']} kept for testing"
    )
    if summary["foreign"]:
        lines.append(f"  {summary['foreign']} images are none of the set")
    return "\n".join(lines)
