"""Whose each volume of a cohort is: several of one subject are no more evidence than one."""

from collections.abc import Iterable


def whose(subject: str, name: str, place: int) -> str:
    """The subject of a volume; of one that has none, a subject of its own at its place."""
    # Below every letter: subjects that go by the names of volumes are sorted as these are.
    return subject or f"{name}\0{place}"


def numbered(subjects: Iterable[str]) -> list[int]:
    """Subjects as numbers from 0, as they first appear; an empty one is one of its own."""
    known: dict[str | int, int] = {}
    return [known.setdefault(one or place, len(known)) for place, one in enumerate(subjects)]
