"""What the name of a file says, and what the outputs of that file are called."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import final

from slicenet.images.picture_file import is_picture

ENDINGS = (".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img", ".mgz", ".mgh")
# Volumes that we do not read: they become cases so that the reader can name the converter.
FOREIGN = (".nrrd", ".nhdr", ".mha", ".mhd", ".mnc", ".dcm", ".ima")
SEGMENTATIONS = frozenset({"dseg", "seg", "segmentation", "labels"})
MASKS = SEGMENTATIONS | {"mask", "probseg", "label"}
LONGEST = 180  # bytes of a name, so that every output's stays below the 255 of file systems

_ENDING = re.compile(rf"(?<=.)({'|'.join(map(re.escape, ENDINGS + FOREIGN))})\Z", re.I | re.S)
_ENTITY = re.compile(r"([a-zA-Z]+)-((?:[^\W_]|[.+-])+)")
_SUFFIX = re.compile(r"[^\W_]+")
# Entities that BIDS puts before `mod-`; all others follow it.
_BEFORE_MODALITY = frozenset({
    "sub", "ses", "sample", "task", "tracksys", "acq", "nuc", "voi", "ce", "trc", "stain", "rec",
    "dir", "run",
})  # fmt: skip


@final
@dataclass(frozen=True)
class FileName:
    """A file name without its ending; plain names have no entities and no suffix."""

    stem: str
    entities: tuple[tuple[str, str], ...] = ()  # BIDS: in the order of the name, `sub` first
    suffix: str = ""  # BIDS: `T1w`, `mask`, …; "" if the name ends with an entity

    @property
    def in_bids(self) -> bool:
        """Whether the name is made of BIDS entities."""
        return bool(self.entities)

    @property
    def is_mask(self) -> bool:
        """Whether it names a mask or labels, which are no images."""
        return self._last in MASKS

    @property
    def is_segmentation(self) -> bool:
        """Whether it names a map of the labels of a whole brain."""
        return self._last in SEGMENTATIONS and not self.is_output and not self.entity("label")

    @property
    def is_output(self) -> bool:
        """Whether slicenet wrote it: `desc-anomaly` or `label-anomaly`."""
        return any(f"_{key}-anomaly_" in f"{self.stem}_" for key in ("desc", "label"))

    @property
    def _last(self) -> str:
        """The last word of the name, lower case."""
        last = self.suffix if self.in_bids else self.stem.rpartition("_")[2]
        return last.lower()

    def entity(self, key: str) -> str:
        """The label of one entity; "" if the name has none."""
        return next((label for name, label in self.entities if name == key), "")

    def without(self, *keys: str) -> tuple[tuple[str, str], ...]:
        """Its entities but for those named."""
        return tuple(pair for pair in self.entities if pair[0] not in keys)


def ending(name: str) -> str:
    """The ending by which a file claims to be an image, lower case; "" if it does not."""
    found = _ENDING.search(name)
    return found[0].lower() if found else ""


def parse(name: str) -> FileName:
    """Split the name of a file into BIDS entities and suffix, if it is made of them."""
    return parse_stem(stem_of(name))


def stem_of(name: str) -> str:
    """The name of a volume or a picture without its ending."""
    last = ending(name) or (PurePosixPath(name).suffix if is_picture(name) else "")
    return name[: len(name) - len(last)]


@lru_cache(maxsize=1024)
def parse_stem(stem: str) -> FileName:
    """Split a name that has no ending any more."""
    if not stem.startswith("sub-"):
        return FileName(stem)
    *parts, last = stem.split("_")
    if _ENTITY.fullmatch(last):
        parts, last = [*parts, last], ""
    entities = [_ENTITY.fullmatch(part) for part in parts]
    pairs = tuple((match[1], match[2]) for match in entities if match)
    whole = len(pairs) == len(parts) > 0 and (not last or _SUFFIX.fullmatch(last))
    if not whole or len({key for key, _ in pairs}) < len(pairs):
        return FileName(stem)
    return FileName(stem, pairs, last)


def output_name(name: FileName) -> str:
    """The name of the outputs: all entities but `desc-`, and the suffix when it is not T1w."""
    if not name.in_bids or len(name.stem.encode("utf-8", "replace")) > LONGEST:
        return safe(name.stem)
    return "_".join([*_joined(name.without("desc")), *_kept_suffix(name)])


def output_prefix(name: str) -> str:
    """How the files of the output called `name` begin: a suffix moves into BIDS' `mod-` entity.

    Entities may not follow a suffix, and `desc-anomaly_heatmap` has to follow.
    """
    parsed = parse_stem(name)
    if not parsed.suffix or parsed.entity("mod"):
        return name
    head = [pair for pair in parsed.entities if pair[0] in _BEFORE_MODALITY]
    tail = [pair for pair in parsed.entities if pair[0] not in _BEFORE_MODALITY]
    return "_".join(_joined([*head, ("mod", parsed.suffix), *tail]))


def output_folder(name: str) -> PurePosixPath:
    """Where the output called `name` goes, below OUT."""
    parsed = parse_stem(name)
    if not parsed.in_bids:
        return PurePosixPath(name)
    session = parsed.entity("ses")
    folders = [f"sub-{parsed.entity('sub')}", *([f"ses-{session}"] if session else []), "anat"]
    return PurePosixPath(*folders)


def safe(stem: str) -> str:
    """A name that is one short printable part of a path; changed ones end with a digest."""
    cleaned = "".join("_" if _unsafe(letter) else letter for letter in stem)
    if not cleaned or cleaned[0] in ".-":  # hidden, or an option to whoever works on the outputs
        cleaned = "_" + cleaned[1:]
    if cleaned == stem and len(stem.encode()) <= LONGEST:
        return stem
    mark = hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    kept = cleaned.encode()[: LONGEST - 9].decode("utf-8", "ignore")
    return f"{kept}-{mark}"


def _unsafe(letter: str) -> bool:
    return letter in "/\\" or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def _joined(entities: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> list[str]:
    return [f"{key}-{label}" for key, label in entities]


def _kept_suffix(name: FileName) -> list[str]:
    return [name.suffix] if name.suffix not in ("", "T1w") else []
