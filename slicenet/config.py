"""Settings are frozen dataclasses with defaults; tables of TOML only overlay them."""

import dataclasses
import difflib
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from slicenet.errors import ConfigError
from slicenet.files import read_text

S = TypeVar("S")
INFINITE = (float("inf"), float("-inf"))
# No TOML or no UTF-8, a number of thousands of digits, or brackets in thousands of brackets.
UNREADABLE = (ValueError, RecursionError)


def overlay(settings: S, table: Mapping[str, Any], where: str = "") -> S:
    """Copy the dataclass `settings` with the values of `table`; unknown keys are errors."""
    known = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]
    changes = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{where}{key}: no such setting", "E_SETTING", suggest(key, known))
        changes[key] = _fit(getattr(settings, key), value, f"{where}{key}")
    try:
        return dataclasses.replace(settings, **changes)  # type: ignore[type-var]
    except ConfigError as error:  # a check of the settings themselves, which know no path
        raise ConfigError(f"{where}{error.message}", error.code, error.hint) from error
    except ValueError as error:  # those of slicenet.flows, which knows none of our errors
        raise ConfigError(f"{where}{error}", "E_SETTING") from error


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file."""
    try:
        return tomllib.loads(read_text(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "E_NOT_FOUND") from error
    except UNREADABLE as error:
        raise ConfigError(f"{path}: not TOML ({error})", "E_TOML") from error


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Turn `frame.spacing=[2, 2, 2]` and the like into one nested table."""
    table: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {assignment}: expected KEY=VALUE", "E_SETTING")
        inner = table
        *outer, last = key.strip().split(".")
        for part in outer:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"--set {assignment}: {part} was given a value", "E_SETTING")
        inner[last] = _parse(value.strip())
    return table


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The table `base` with the values of `change` in place of its own, level by level."""
    merged = dict(base)
    for key, value in change.items():
        inner = merged.get(key)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(inner, value) if both else value  # type: ignore[arg-type]
    return merged


def paths(table: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested table with its dotted name."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from paths(value, f"{where}{key}.")
        else:
            yield f"{where}{key}", value


def dump(table: Mapping[str, Any], notes: Mapping[str, str], where: str = "") -> str:
    """Write a nested table as TOML, with the note of each dotted name beside its value."""
    plain = {k: v for k, v in table.items() if not isinstance(v, Mapping)}
    nested = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    lines = []
    for key, value in plain.items():
        note = notes.get(f"{where}{key}", "")
        lines.append(f"{key} = {_toml(value)}" + (f"  # {note}" if note else ""))
    for key, inner in nested.items():
        lines.append(f"\n[{where}{key}]")
        lines.append(dump(inner, notes, f"{where}{key}."))
    return "\n".join(lines)


def suggest(word: str, known: Sequence[str]) -> str:
    """What the user may have meant by `word`."""
    close = difflib.get_close_matches(word, known, 1)
    have = f"have {', '.join(sorted(known))}"
    return f"did you mean {close[0]}? {have}" if close else have


def _fit(default: Any, value: Any, where: str) -> Any:
    """Give `value` the type of `default`, or say why that cannot be."""
    match default, value:
        case _, Mapping() if dataclasses.is_dataclass(default):
            return overlay(default, value, f"{where}.")
        case tuple(), list() | tuple():
            return tuple(_fit(default[0], one, where) for one in value) if default else tuple(value)
        case float(), int() if not isinstance(value, bool) and abs(value) <= sys.float_info.max:
            return float(value)
        case str(), str() if not value.isprintable():
            raise ConfigError(f"{where}: {value!r} cannot be printed", "E_SETTING")
        case _ if type(value) is type(default) and value == value and value not in INFINITE:
            return value
    expected = "a table" if dataclasses.is_dataclass(default) else type(default).__name__
    raise ConfigError(f"{where}: expected {expected}, got {value!r}", "E_SETTING")


def _parse(text: str) -> Any:
    """A TOML value; a bare word is a string, so that a shell needs no quotes around quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except UNREADABLE:
        return text


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case list() | tuple():
            return f"[{', '.join(_toml(one) for one in value)}]"
    return repr(value)
