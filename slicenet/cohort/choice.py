"""Which of the BIDS images found are cases, and which together are one."""

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort.naming import FileName
from slicenet.cohort.query import ABSENT, Query
from slicenet.errors import ConfigError, NoInputError, Notice
from slicenet.images.printable import printable

VERSIONS = ("space", "res", "den", "desc")  # entities in which versions of one scan differ
USUAL = "T1w"
SHOWN = 5  # names in a message

Group = tuple["Candidate", ...]


@final
@dataclass(frozen=True)
class Candidate:
    """A file that may be a case, or one sequence of it."""

    path: Path
    name: FileName
    searched: bool = False  # found in a folder, not named by the user
    in_root: bool = False  # found below the top of a BIDS data set


def check_participants(names: Sequence[FileName], query: Query) -> None:
    """Refuse labels that no file carries: a slip must not shrink a cohort silently."""
    have = {name.entity("sub") for name in names} - {""}
    asked = [label.removeprefix("sub-") for label in query.participant_label]
    lost = [label for label in asked if label not in have]
    if lost:
        close = difflib.get_close_matches(lost[0], sorted(have), 1)
        hint = f"did you mean {close[0]}?" if close else f"{len(have)} participants are here"
        text = f"--participant-label: nobody is called {_listed(lost)}"
        raise NoInputError(text, "E_NO_INPUT", hint)


def choose(candidates: Sequence[Candidate], query: Query) -> tuple[list[Group], list[Notice]]:
    """The images of each case, and what was left out."""
    named = [one for one in candidates if one.name.in_bids]
    plain = [one for one in candidates if not one.name.in_bids]
    accepted = [one for one in named if query.accepts(one.name)]
    if query.sequences:
        groups, notices = _join_sequences(accepted, query.sequences)
        return groups, [*notices, *_left_out(plain, "their names tell no sequence")]
    if query.filters:
        ignored, plain = plain, []
    else:
        ignored = [one for one in plain if one.in_root and named]
        plain = [one for one in plain if not (one.in_root and named)]
    chosen, notices = _usual_suffix(accepted, query)
    _check_versions([one for one in chosen if one.searched])
    notices += _left_out(ignored, "their names carry no BIDS entities")
    return [(one,) for one in [*chosen, *plain]], notices


def _usual_suffix(
    accepted: Sequence[Candidate], query: Query
) -> tuple[list[Candidate], list[Notice]]:
    """Of images found in folders the T1w ones, unless others were asked for or are alone."""
    counts = Counter(one.name.suffix or ABSENT for one in accepted if one.searched)
    if query.suffix or len(counts) < 2:
        return list(accepted), []
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))
    if USUAL not in counts:
        hint = f"choose with --suffix {min(counts)}, or join with --sequences {','.join(counts)}"
        raise ConfigError(f"several kinds of images and no {USUAL}: {kinds}", "E_AMBIGUOUS", hint)
    chosen = [one for one in accepted if not one.searched or one.name.suffix == USUAL]
    del counts[USUAL]
    others = ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))
    notices = [Notice("W_LEFT_OUT", f"left out: {others}; --suffix asks for others than {USUAL}")]
    lacking = sorted({_visit(one) for one in accepted} - {_visit(one) for one in chosen})
    if lacking:
        notices.append(Notice("W_LEFT_OUT", f"left out without a {USUAL}: {_listed(lacking)}"))
    return chosen, notices


def _check_versions(chosen: Iterable[Candidate]) -> None:
    """Refuse to pick among several versions of one scan."""
    versions = defaultdict(list)
    for one in chosen:
        versions[one.name.without(*VERSIONS), one.name.suffix].append(one.name)
    several = [names for names in versions.values() if len({_version(n) for n in names}) > 1]
    if several:
        stems = _listed([name.stem for name in several[0]])
        text = f"several versions of one scan, of {len(several)} scans in all: {stems}"
        raise ConfigError(text, "E_AMBIGUOUS", f"choose with {_filters(several[0])}")


def _filters(names: Sequence[FileName]) -> str:
    """The options that tell the versions apart, with what they could be given."""
    options = []
    for key in VERSIONS:
        labels = sorted({name.entity(key) or ABSENT for name in names})
        if len(labels) > 1 and key in ("space", "desc"):
            options.append(f"--{key} {' or '.join(labels)}")
    return ", ".join(options) or "a pattern, or a table of paths"


def _join_sequences(
    accepted: Sequence[Candidate], sequences: Sequence[str]
) -> tuple[list[Group], list[Notice]]:
    """One group per scan that has all sequences, in the order of `sequences`."""
    visits = defaultdict(list)
    for one in accepted:
        visits[_visit(one)].append(one)
    groups: list[Group] = []
    lacking = []
    for visit, images in visits.items():
        missing = [name for name in sequences if name not in {one.name.suffix for one in images}]
        if missing:
            lacking.append(f"{visit} (no {', '.join(missing)})")
        else:
            groups += _sets(images, sequences)
    _check_versions([group[0] for group in groups if group[0].searched])
    if not lacking:
        return groups, []
    return groups, [Notice("W_SEQUENCE", f"left out: {_listed(lacking)}")]


def _sets(images: Sequence[Candidate], sequences: Sequence[str]) -> list[Group]:
    """The sequences of one visit that belong together: those whose names differ in nothing else."""
    scans = defaultdict(dict)  # type: defaultdict[frozenset[tuple[str, str]], dict[str, Candidate]]
    for one in images:
        scans[frozenset(one.name.entities)][one.name.suffix] = one
    whole = [scan for scan in scans.values() if len(scan) == len(sequences)]
    if not whole and len(images) == len(sequences):
        whole = [{one.name.suffix: one for one in images}]
    if not whole:
        stems = _listed([one.name.stem for one in images])
        hint = f"choose with {_filters([one.name for one in images])}"
        raise ConfigError(f"which belong together? {stems}", "E_AMBIGUOUS", hint)
    return [tuple(scan[name] for name in sequences) for scan in whole]


def _left_out(candidates: Sequence[Candidate], why: str) -> list[Notice]:
    if not candidates:
        return []
    names = _listed([one.path.name for one in candidates])
    return [Notice("W_LEFT_OUT", f"left out because {why}: {names}")]


def _visit(one: Candidate) -> str:
    session = one.name.entity("ses")
    return f"sub-{one.name.entity('sub')}" + (f"_ses-{session}" if session else "")


def _version(name: FileName) -> tuple[str, ...]:
    return tuple(name.entity(key) for key in VERSIONS)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(printable, names[:SHOWN])) + more
