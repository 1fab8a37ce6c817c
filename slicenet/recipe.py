"""Which backend with which settings, and where each value came from."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from slicenet.backends import BACKENDS
from slicenet.backends.base import Backend
from slicenet.checkpoint import settings_table
from slicenet.config import dump, merge, overlay, parse_assignments, paths, read_table, suggest
from slicenet.errors import ConfigError
from slicenet.training import TrainSettings


@final
@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training besides its data."""

    name: str  # of the backend
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
) -> Recipe:
    """Defaults, then the file, then --set, then options: the later wins."""
    layers: list[tuple[str, dict[str, Any]]] = []
    if config:
        layers.append((str(config), read_table(config)))
    layers.append(("--set", parse_assignments(assignments)))
    if name:
        layers.append(("--backend", {"backend": name}))
    if seed is not None:
        layers.append(("--seed", {"train": {"seed": seed}}))
    table: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for source, layer in layers:
        table = merge(table, layer)
        notes |= {path: source for path, _ in paths(layer)}
    chosen = table.pop("backend", None)
    if chosen is None:
        raise ConfigError("no backend named", "E_SETTING", f"--backend {' | '.join(BACKENDS)}")
    if chosen not in BACKENDS:
        hint = suggest(str(chosen), list(BACKENDS))
        raise ConfigError(f"{chosen}: no such backend", "E_SETTING", hint)
    train = overlay(TrainSettings(), _table(table, "train"), "train.")
    return Recipe(chosen, overlay(BACKENDS[chosen](), table), train, notes)


def _table(table: dict[str, Any], key: str) -> Mapping[str, Any]:
    inner = table.pop(key, {})
    if not isinstance(inner, Mapping):
        raise ConfigError(f"{key}: expected a table", "E_SETTING")
    return inner
