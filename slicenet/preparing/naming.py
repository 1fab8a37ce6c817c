"""What prepared files are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort import Case
from slicenet.cohort.naming import parse, parse_stem
from slicenet.errors import VolumeError

VERSION = ("space", "res", "den", "desc")  # entities that a prepared file has of its own
USUAL = "T1w"


@final
@dataclass(frozen=True)
class Names:
    """Paths of the files of one case."""

    folder: Path
    stem: str  # sub-01_ses-2
    space: str  # space-…_res-…
    suffixes: tuple[str, ...]  # of the sequences

    @property
    def subject(self) -> str:
        """As BIDS writes it: sub-01."""
        return self.stem.split("_")[0]

    def image(self, index: int) -> Path:
        """A brain in MNI space; its sidecar has the same name but for the ending."""
        return self.folder / f"{self.stem}_{self.space}_desc-brain_{self.suffixes[index]}.nii.gz"

    def mask(self, label: str) -> Path:
        """A mask in MNI space: `desc-brain`, or `label-lesion`."""
        return self.folder / f"{self.stem}_{self.space}_{label}_mask.nii.gz"

    @property
    def sidecar(self) -> Path:
        """What tells where the first image came from: where it stands, the case is whole."""
        first = self.image(0)
        return first.with_name(first.name.replace(".nii.gz", ".json"))

    def transform(self, index: int, space: str) -> Path:
        """The way from a sequence to MNI space, as ITK and ANTs write it."""
        kind = self.suffixes[index]
        return self.folder / f"{self.stem}_from-{kind}_to-{space}_mode-image_xfm.txt"

    @property
    def picture(self) -> Path:
        """What a person looks at."""
        return (
            self.folder.parent / "figures" / f"{self.stem}_desc-registration_{self.suffixes[0]}.png"
        )


def names_of(case: Case, out: Path, space: str, sequences: Sequence[str] = ()) -> Names:
    """Names in BIDS for any case below `out`; `sequences` are what its images are called."""
    named = parse_stem(case.name)
    pairs = named.without(*VERSION) or (("sub", _label(case.name)),)
    kinds = sequences or [
        parse(image.name).suffix or named.suffix or USUAL for image in case.images
    ]
    session = [f"ses-{label}" for key, label in pairs if key == "ses"]
    folder = Path(out, f"sub-{pairs[0][1]}", *session, "anat")
    stem = "_".join(f"{key}-{label}" for key, label in pairs)
    return Names(folder, stem, space, tuple(kinds))


def check_names(every: Sequence[tuple[Case, Names]]) -> None:
    """Refuse cases whose files would overwrite each other."""
    taken: dict[Path, Case] = {}
    for case, names in every:
        if len(set(names.suffixes)) < len(names.suffixes):
            raise VolumeError(
                f"{case.name}: several images of one kind", "E_AMBIGUOUS", "name them: --sequences"
            )
        other = taken.setdefault(Path(str(names.sidecar).casefold()), case)
        if other is not case:
            raise VolumeError(
                f"{other.name} and {case.name} would both become {names.stem}", "E_COLLISION",
                "a table with columns path,id gives each its name",
            )  # fmt: skip


def _label(name: str) -> str:
    """What BIDS allows in a label: letters and digits."""
    return "".join(letter for letter in name if letter.isalnum()) or "0"
