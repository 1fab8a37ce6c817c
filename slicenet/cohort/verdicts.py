"""What reading a cohort showed, for people."""

from collections import Counter
from collections.abc import Callable, Sequence

from slicenet.cohort.case import Case
from slicenet.cohort.examine import Facts, Finding
from slicenet.cohort.table import align, mask_origin, pad, shorten, width, wrapped
from slicenet.errors import Notice
from slicenet.images.printable import printable

TITLES = ("shape", "spacing mm", "axes", "type", "brain mL", "mask", "truth mL", "warnings")
WIDEST_NAME = 28
SHOWN = 6  # kinds of spacing in the summary, hints for one code


def report(findings: Sequence[Finding], duplicates: Sequence[Notice]) -> str:
    """A line per case, what would help the bad ones, what the warnings mean, and a summary."""
    parts = [
        _table(findings),
        _hints(findings),
        _warnings(findings, duplicates),
        _summary(findings),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _table(findings: Sequence[Finding]) -> list[str]:
    """Name and verdict of each case, then its facts, or in their place what is wrong."""
    names = [shorten(printable(one.case.name), WIDEST_NAME) for one in findings]
    verdicts = [one.error.code if one.error else "ok" for one in findings]
    edges = [max(map(width, ("name", *names))), max(map(width, ("verdict", *verdicts)))]
    good = [_cells(one) for one in findings if not one.error]
    facts = iter(align(_filled([TITLES, *good])) if good else ["what is wrong"])
    lines = [f"{pad('name', edges[0])}  {pad('verdict', edges[1])}  {next(facts)}".rstrip()]
    for name, verdict, one in zip(names, verdicts, findings, strict=True):
        start = f"{pad(name, edges[0])}  {pad(verdict, edges[1])}  "
        lines += wrapped(start, _complaint(one)) if one.error else [(start + next(facts)).rstrip()]
    return lines


def _cells(finding: Finding) -> tuple[str, ...]:
    facts = finding.facts
    assert facts is not None, "a case without an error has been read"
    sequences = f"{facts.sequences} of " if facts.sequences > 1 else ""
    return (
        sequences + "x".join(map(str, facts.shape)),
        _edges(facts.spacing),
        facts.axes,
        facts.dtype or "-",
        f"{facts.brain_ml:.0f}",
        mask_origin(finding.case),
        "" if facts.lesion_ml is None else f"{facts.lesion_ml:.1f}",
        " ".join(dict.fromkeys(notice.code for notice in finding.notices)),
    )


def _filled(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows without the columns that have a title and nothing else."""
    kept = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return list(zip(*kept, strict=True))


def _complaint(finding: Finding) -> str:
    error = finding.error
    assert error is not None, "asked of bad cases only"
    return _without_path(error.message, finding.case)


def _without_path(message: str, case: Case) -> str:
    """The message without the file in front of it, which the line's name already tells."""
    text = "\n".join(map(printable, message.split("\n")))  # a comparison of grids has lines
    files = [(path, "") for path in case.images]
    files += [(path, kind) for path, kind in ((case.mask, "mask "), (case.truth, "truth ")) if path]
    for path, kind in files:
        for start in (f"{printable(path)}: ", f"{printable(path.name)}: "):
            if text.startswith(start):
                return kind + text.removeprefix(start)
    return text.removeprefix(f"{case.name}: ")


def _hints(findings: Sequence[Finding]) -> list[str]:
    """What would help, once for each kind of error: a hundred heads need one command."""
    hints: dict[str, list[str]] = {}
    for error in (one.error for one in findings if one.error and one.error.hint):
        hints.setdefault(error.code, []).append(printable(error.hint))
    lines = []
    for code, texts in sorted(hints.items()):
        for text in list(dict.fromkeys(texts))[:SHOWN]:
            lines += wrapped(f"{code}  ", text)
    return lines


def _warnings(findings: Sequence[Finding], duplicates: Sequence[Notice]) -> list[str]:
    """Each kind of warning once, with how many cases have it and what the first one says."""
    told: dict[str, list[str]] = {}
    for finding in findings:
        for notice in {one.code: one for one in finding.notices}.values():
            text = _without_path(notice.message, finding.case)
            told.setdefault(notice.code, []).append(f"{finding.case.name}: {text}")
    lines = []
    for code, texts in sorted(told.items()):
        more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
        lines += wrapped(f"{code}  ", texts[0] + more)
    for notice in duplicates:
        lines += wrapped(f"{notice.code}  ", printable(notice.message))
    return lines


def _summary(findings: Sequence[Finding]) -> list[str]:
    good = [one.facts for one in findings if one.facts]
    warned = sum(bool(one.notices) for one in findings if not one.error)
    cases = f"{len(findings)} {'case' if len(findings) == 1 else 'cases'}"
    lines = [f"{cases}: {len(good)} good ({warned} with warnings), {len(findings) - len(good)} bad"]
    lines += _mixture("spacings", good, lambda facts: f"{_edges(facts.spacing)} mm")
    lines += _mixture("fields of view", good, _view)
    if len(lines) > 1:
        lines.append("they differ: every volume is resampled to the working grid of the model")
    return lines


def _mixture(what: str, good: Sequence[Facts], tell: Callable[[Facts], str]) -> list[str]:
    """How many volumes have which value, if there is more than one."""
    counts = Counter(map(tell, good)).most_common()
    if len(counts) < 2:
        return []
    listed = ", ".join(f"{value} ({count})" for value, count in counts[:SHOWN])
    more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
    return [f"{len(counts)} {what}: {listed}{more}"]


def _view(facts: Facts) -> str:
    """Edges of the box from left to right, back to front and bottom to top."""
    places = [
        next(i for i, axis in enumerate(facts.axes) if axis in pair) for pair in ("LR", "PA", "IS")
    ]
    return "x".join(f"{facts.extent[place]:.0f}" for place in places) + " mm"


def _edges(lengths: Sequence[float]) -> str:
    return "x".join(f"{length:.3g}" for length in lengths)
