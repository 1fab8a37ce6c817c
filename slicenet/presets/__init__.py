"""Settings worth a name: each TOML file beside this one is one, its first line what it is."""

import tomllib
from importlib.resources import files
from typing import Any

ENDING = ".toml"


def names() -> tuple[str, ...]:
    """The presets there are."""
    found = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(ENDING) for name in found if name.endswith(ENDING)))


def about(name: str) -> str:
    """What a preset is, in a sentence."""
    return _text(name).splitlines()[0].removeprefix("# ")


def table(name: str) -> dict[str, Any]:
    """The settings of a preset; its `backend` says whose."""
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return (files(__name__) / f"{name}{ENDING}").read_text("utf-8")
