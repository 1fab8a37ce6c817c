"""Which of the images in a place are wanted."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort.naming import SEGMENTATIONS, FileName

ABSENT = "none"  # asks for names that lack the entity


@final
@dataclass(frozen=True)
class Query:
    """Filters on BIDS names; nothing asked lets everything pass, `none` asks for absence."""

    participant_label: tuple[str, ...] = ()  # with or without `sub-`
    session: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    space: tuple[str, ...] = ()
    desc: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()  # suffixes, or columns of a table, that make up one case
    mask: Path | None = None  # brain mask of the only case
    labels: bool = False  # look for segmentations, not for images

    @property
    def of_labels(self) -> bool:
        """Whether segmentations are wanted, as the caller says or the asked suffixes do."""
        return self.labels or not SEGMENTATIONS.isdisjoint((*self.suffix, *self.sequences))

    @property
    def filters(self) -> bool:
        """Whether names without entities are out of the question."""
        return any((self.participant_label, self.session, self.suffix, self.space, self.desc))

    def accepts(self, name: FileName) -> bool:
        """Whether the BIDS name has what was asked for."""
        wanted = self.suffix or self.sequences
        return (
            _fits(self.participant_label, "sub", name.entity("sub"))
            and _fits(self.session, "ses", name.entity("ses"))
            and _fits(self.space, "space", name.entity("space"))
            and _fits(self.desc, "desc", name.entity("desc"))
            and (not wanted or (name.suffix or ABSENT) in wanted)
        )


def _fits(wanted: tuple[str, ...], key: str, label: str) -> bool:
    return not wanted or (label or ABSENT) in {one.removeprefix(f"{key}-") for one in wanted}
