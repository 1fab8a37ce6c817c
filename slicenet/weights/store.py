"""The folder of weights: one safetensors file a name, and a record of where it came from.

One small network comes with the package; a file of its name in the folder goes before it.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

from safetensors.torch import save as serialize
from torch import Tensor

from slicenet.errors import CheckpointError, ConfigError
from slicenet.files import digest, load_tensors, read_text, remove, write_bytes, write_json
from slicenet.folders import weights_folder
from slicenet.weights.known import KNOWN, by_digest, by_file, published
from slicenet.weights.reading import ORIGIN, read_note, read_tensors

ENDING = ".safetensors"
PACKAGED = Path(__file__).with_name("packaged")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@final
@dataclass(frozen=True)
class Weights:
    """Weights that the folder holds; the record is empty for a file that was put there by hand."""

    name: str
    path: Path
    size: int  # bytes
    sha256: str = ""  # of the file in the folder
    source: str = ""  # name of the file that was imported
    source_sha256: str = ""
    licence: str = ""

    @property
    def packaged(self) -> bool:
        """Whether it came with slicenet."""
        return self.path.parent == PACKAGED

    @property
    def verified(self) -> bool:
        """Whether the imported file was, by its hash, the known one of this name."""
        known = by_digest(self.source_sha256)
        return known is not None and known.name == self.name


def held(folder: Path | None = None) -> tuple[Weights, ...]:
    """What the folder holds, by name; without a folder of your own, what the package holds too."""
    found = {file.name: file for place in _places(folder) for file in place.glob(f"[!.]*{ENDING}")}
    return tuple(_describe(found[name]) for name in sorted(found))


def import_file(
    source: Path, name: str = "", folder: Path | None = None, licence: str = "", called: str = ""
) -> Weights:
    """Bring a .safetensors or .pth file into the folder, under its known name or the one given.

    It was `called` so where it is from, if not as it is now.
    """
    tensors = read_tensors(source)
    sha256 = digest(source)
    name = name or _name_of(source, sha256)
    if not NAME.fullmatch(name):
        message = f"{name!r}: not a name for weights"
        raise ConfigError(message, "E_SETTING", "letters, digits, dots, dashes and underscores")
    known = by_digest(sha256)
    file = (folder or weights_folder()) / f"{name}{ENDING}"
    # A record must never speak of another file, so it goes first and comes last.
    remove(_record(file))
    # Copied, because the views of one tensor that a .pth may hold cannot be saved twice; through
    # our own door, because safetensors' own writer hides that a disk is full.
    copies = {key: value.contiguous().clone() for key, value in tensors.items()}
    note = read_note(source, ORIGIN)  # must go along, or nothing would tell a leak
    write_bytes(file, serialize(copies, {ORIGIN: note} if note else None))
    record = {
        "sha256": digest(file),
        "source": called or source.name,
        "source_sha256": sha256,
        "licence": licence or (known.licence if known else ""),
    }
    write_json(_record(file), record)
    return _describe(file)


def path(name: str, folder: Path | None = None) -> Path:
    """The safetensors file of the weights called `name`."""
    places = _places(folder)
    for place in reversed(places):
        file = place / f"{name}{ENDING}"
        if NAME.fullmatch(name) and file.is_file():
            return file
    message = f"weights {name}: not in {places[-1]}"
    raise CheckpointError(message, "E_WEIGHTS", _how_to_bring(name))


def load(name: str, folder: Path | None = None) -> dict[str, Tensor]:
    """The tensors of the weights called `name`, after their hash was compared with the record."""
    file = path(name, folder)
    expected = _describe(file).sha256
    if expected and digest(file) != expected:
        message = f"{file}: damaged, its hash is not the recorded one"
        raise CheckpointError(message, "E_SHA256", "import the weights again")
    # With a hash that fits there is nothing left to guard against.
    return load_tensors(file) if expected else read_tensors(file)


def _places(folder: Path | None) -> tuple[Path, ...]:
    """Where weights are looked for; the later goes first."""
    return (folder,) if folder else (PACKAGED, weights_folder())


def _name_of(source: Path, sha256: str) -> str:
    known = by_digest(sha256)
    claimed = by_file(source.name)
    if known is None and claimed is not None:
        message = (
            f"{source}: its SHA-256 begins {sha256[:8]}, that of {claimed.name} {claimed.sha256}"
        )
        raise CheckpointError(message, "E_SHA256", "damaged or altered; bring it again")
    return known.name if known else re.sub(r"[^A-Za-z0-9._-]+", "_", source.stem).lstrip("._-")


def _describe(file: Path) -> Weights:
    plain = Weights(file.name.removesuffix(ENDING), file, file.stat().st_size)
    try:
        record = json.loads(read_text(_record(file)))
        return dataclasses.replace(plain, **record)
    except FileNotFoundError:
        return plain
    except (OSError, ValueError, TypeError) as error:
        message = f"{_record(file)}: not a record of weights ({error})"
        raise CheckpointError(message, "E_WEIGHTS", "import the weights again") from error


def _record(file: Path) -> Path:
    return file.with_name(f"{file.name.removesuffix(ENDING)}.json")


def _how_to_bring(name: str) -> str:
    known = published(name)
    if known is None:
        return f"`slicenet weights import FILE --name {name}` puts a file there"
    told = known.file if name in KNOWN else f"{known.file} --name {name}"
    return (
        f"bring {known.file} (from {known.url}) and run `slicenet weights import {told}`; "
        f"where there is a network, `slicenet weights fetch {name}` does both"
    )
