"""Which backend with which settings, and where each value came from."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from slicenet import presets
from slicenet.backends import BACKENDS
from slicenet.backends.base import Backend
from slicenet.checkpoint import settings_table
from slicenet.config import dump, merge, overlay, parse_assignments, paths, read_table, suggest
from slicenet.errors import ConfigError
from slicenet.training import TrainSettings

# What pictures need where a backend has it: a frame of one slice that holds a whole picture, and no
# slab of slices. It comes before whatever a user has set.
PICTURES = {
    "frame": {"box": [240.0, 240.0, 1.0], "spacing": [1.0, 1.0, 1.0], "anchor": "brain"},
    "slices": {"depth": {"kernel": 1, "stride": 1}},
}


@final
@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training besides its data."""

    name: str  # of the backend
    label: str  # what was asked for: a backend, or a preset of its settings
    backend: Backend
    train: TrainSettings
    notes: Mapping[str, str]  # where a value came from, by its dotted name; defaults are absent

    def to_toml(self) -> str:
        """The whole recipe as a file that --config reads back."""
        table = {"backend": self.name, "train": dataclasses.asdict(self.train)}
        every = table | settings_table(self.backend)
        notes = {path: self.notes.get(path, "default") for path, _ in paths(every)}
        return dump(every, notes) + "\n"


def resolve(
    name: str | None,
    config: Path | None = None,
    assignments: Sequence[str] = (),
    seed: int | None = None,
    flat: bool = False,
) -> Recipe:
    """Defaults, then a preset, what pictures need, the file, --set and options: the later wins.

    `name` is that of a backend, of a preset, or of a TOML file that names one of them.
    """
    layers: list[tuple[str, dict[str, Any]]] = []
    file = Path(name) if name and name.endswith(presets.ENDING) else None
    if file:
        layers.append((str(file), read_table(file)))
    if config:
        layers.append((str(config), read_table(config)))
    layers.append(("--set", parse_assignments(assignments)))
    if name and not file:
        layers.append(("--backend", {"backend": name}))
    if seed is not None:
        layers.append(("--seed", {"train": {"seed": seed}}))
    label = next((layer["backend"] for _, layer in reversed(layers) if "backend" in layer), None)
    if label is None:
        raise ConfigError("no backend named", "E_SETTING", f"--backend {' | '.join(BACKENDS)}")
    if label in presets.names():
        layers = [(source, _without(layer, "backend")) for source, layer in layers]
        preset = presets.table(label)
        layers = [(f"preset {label}", preset), *_for_pictures(preset["backend"], flat), *layers]
    else:
        layers = [*_for_pictures(label, flat), *layers]
    table: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for source, layer in layers:
        table = merge(table, layer)
        notes |= {path: source for path, _ in paths(layer)}
    chosen = table.pop("backend")
    if not isinstance(chosen, str) or chosen not in BACKENDS:
        hint = suggest(str(chosen), [*BACKENDS, *presets.names()])
        raise ConfigError(f"{chosen}: no such backend", "E_SETTING", hint)
    train = overlay(TrainSettings(), _table(table, "train"), "train.")
    label = file.stem if file else str(label)
    return Recipe(chosen, label, overlay(BACKENDS[chosen](), table), train, notes)


def _for_pictures(backend: object, flat: bool) -> list[tuple[str, dict[str, Any]]]:
    known = BACKENDS.get(str(backend)) if flat else None
    if known is None:
        return []
    have = settings_table(known())
    return [("pictures", {key: table for key, table in PICTURES.items() if key in have})]


def _without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}


def _table(table: dict[str, Any], key: str) -> Mapping[str, Any]:
    inner = table.pop(key, {})
    if not isinstance(inner, Mapping):
        raise ConfigError(f"{key}: expected a table", "E_SETTING")
    return inner
