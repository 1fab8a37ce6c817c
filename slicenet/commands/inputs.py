"""What commands that read volumes share: DATA, filters on it, and how files are read."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, final

import click

from slicenet.errors import ConfigError

if TYPE_CHECKING:
    from slicenet.cohort import Cohort

F = TypeVar("F", bound=Callable[..., Any])
ANY = click.Path(path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILTERS = ("participant_label", "session", "suffix", "space", "desc", "sequences")
READING = ("max_voxels", "volume", "assume_ras", "resample_mask")


@final
@dataclass(frozen=True)
class Inputs:
    """What the user named, before anything is looked up."""

    places: tuple[Path, ...]
    participant_label: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    space: tuple[str, ...] = ()
    desc: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    mask: Path | None = None
    max_voxels: int = 512**3
    volume: int | None = None
    assume_ras: bool = False
    resample_mask: bool = False
    split: Path | None = None
    role: tuple[str, ...] = ()
    whole_picture: bool = False

    def at(self, places: Sequence[Path]) -> "Inputs":
        """The same filters and options for other places."""
        return replace(self, places=tuple(places))

    def cohort(self, labels: bool = False) -> "Cohort":
        """The cases, found by name; no image is opened. Segmentations, where labels are wanted."""
        from slicenet.cohort import Query, find_cohort
        from slicenet.cohort.roles import assigned, read_roles
        from slicenet.images.options import ReadOptions

        asked = {name: getattr(self, name) for name in FILTERS}
        query = Query(**asked, mask=self.mask, labels=labels)
        found = find_cohort(self.places, query=query, options=ReadOptions(**self.table()))
        if self.whole_picture:
            found = replace(found, cases=tuple(replace(c, whole=c.flat) for c in found.cases))
        return assigned(found, read_roles(self.split)) if self.split else found

    def part(self, labels: bool = False) -> "Cohort":
        """The cases of the asked role; of a split those to be tested, unless others are asked."""
        from slicenet.cohort.roles import TEST, having

        cohort = self.cohort(labels)
        wanted = self.role or ((TEST,) if self.split else ())
        return having(cohort, wanted) if wanted else cohort

    def undivided(self, labels: bool = False) -> "Cohort":
        """The cases of all roles, for a command that gives each role its part."""
        if self.role:
            raise ConfigError("--role: this command gives every role its part", "E_USAGE")
        return self.cohort(labels)

    def table(self) -> dict[str, Any]:
        """How files are read, by the names of the options."""
        return {name: getattr(self, name) for name in READING}

    def show(self, cohort: "Cohort") -> None:
        """Print on standard error what was understood."""
        from slicenet.cohort import render

        click.echo(render(cohort), err=True)


def input_options(body: F) -> F:
    """Add DATA and its options, and hand them to the body as `inputs`."""

    @functools.wraps(body)
    def gathered(*rest: Any, **values: Any) -> Any:
        own = {name: values.pop(name) for name in Inputs.__dataclass_fields__}
        return body(*rest, inputs=Inputs(**own), **values)

    decorated: Any = gathered
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _words(context: click.Context, option: click.Parameter, given: Any) -> tuple[str, ...]:
    """The words of an option that may be repeated and may hold commas."""
    texts = [given] if isinstance(given, str) else given or ()
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def _filter(name: str, help_text: str) -> Callable[[F], F]:
    return click.option(
        name, multiple=True, callback=_words, metavar="LABEL[,…]", help=help_text
    )  # fmt: skip


_OPTIONS = (
    click.argument("places", nargs=-1, required=True, type=ANY, metavar="DATA..."),
    _filter("--participant-label", "BIDS subjects, with or without sub-."),
    _filter("--session", "BIDS sessions."),
    _filter("--suffix", "BIDS suffixes, such as T1w or FLAIR.  [default: T1w where there are any]"),
    _filter("--space", "BIDS spaces; none for images without one."),
    _filter("--desc", "BIDS descriptions; none for images without one."),
    click.option(
        "--sequences", callback=_words, metavar="NAME,NAME",
        help="Suffixes, or columns of a table, that together make one case.",
    ),
    click.option("--mask", type=ANY, help="Brain mask of a single input."),
    click.option(
        "--max-voxels", type=click.IntRange(min=1), default=512**3, show_default="512³",
        help="Refuse files that claim more.",
    ),
    click.option("--volume", type=click.IntRange(min=0), help="Which volume of 4D files, from 0."),
    click.option("--assume-ras", is_flag=True, help="Accept files without any orientation."),
    click.option("--resample-mask", is_flag=True, help="Bring masks to the grid of their image."),
    click.option(
        "--whole-picture", is_flag=True, help="Look at all of a picture, not at the head in it."
    ),
    click.option(
        "--split", type=FILE, help="Table of subjects and roles, as `slicenet split` writes it."
    ),
    click.option(
        "--role", type=click.Choice(("fit", "calibrate", "test")), multiple=True,
        help="Whom to look at, as --split or the data set itself has it.  [default with --split: "
        "test; train and compare take all roles]",
    ),
)  # fmt: skip
