"""Settings, tables and model files drawn at random."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from slicenet.checkpoint import read, settings_table
from slicenet.cohort.datasets import read_groups
from slicenet.cohort.folders import Folders
from slicenet.cohort.roles import read_roles
from slicenet.cohort.rows import read_rows
from slicenet.config import paths
from slicenet.recipe import resolve
from tests.fuzzing import Target
from tests.small_model import small_model

BACKENDS = ("zscore", "histeq", "intensity-gaussian", "msma", "gnsm-labels", "t1-ixi")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from((10**400, -1, 2**63, 1e308, "auto", "zscore")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)  # fmt: skip
WORDS = st.text(max_size=12) | st.sampled_from(
    ("path", "id", "mask", "truth", "group", "subject", "role", "participant_id", "a.nii", "fit",
     "test", "sub-1", "", "n/a", '"', "../x", "x" * 140_000, "\0", "\r")
)  # fmt: skip


@cache
def known_settings() -> tuple[str, ...]:
    """Dotted names of the settings of a few backends."""
    tables = [settings_table(resolve(name).backend) for name in BACKENDS]
    return tuple(sorted({name for table in tables for name, _ in paths(table)}))


@st.composite
def recipes(draw: st.DrawFn) -> tuple[str, str, list[str]]:
    """The name of a backend, the text of a TOML file, and what follows --set."""
    names = st.sampled_from(known_settings()) | st.text(max_size=8)
    pairs = draw(st.lists(st.tuples(names, ANY), max_size=3))
    nested = st.just("[" * 1500) | st.just("9" * 4400) | st.text(max_size=30)
    lines = [f"{name} = {json.dumps(value)}" for name, value in pairs]
    text = draw(st.just("") | st.just("\n".join(lines)) | nested)
    more = draw(st.lists(st.tuples(names | st.just("backend"), ANY), max_size=3))
    spoken = [f"{name}={value if isinstance(value, str) else json.dumps(value)}"
              for name, value in more]  # fmt: skip
    spoken += draw(st.just([]) | st.lists(nested.map("seed={}".format), max_size=1))
    return draw(st.sampled_from(BACKENDS)), text, spoken


def configure(recipe: tuple[str, str, list[str]], folder: Path) -> None:
    """Resolve the settings, build what they say, and write them down again."""
    name, text, assignments = recipe
    file = folder / "config.toml"
    file.write_text(text, "utf-8", "surrogatepass")
    made = resolve(name, file, assignments)
    made.backend.build()
    again = folder / "again.toml"
    again.write_text(made.to_toml(), "utf-8")
    assert resolve(None, again).backend == made.backend


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """Which kind of table, and its bytes."""
    mark = draw(st.sampled_from("\t,;"))
    rows = draw(st.lists(st.lists(WORDS, max_size=4).map(mark.join), max_size=5))
    heads = {"rows": f"path{mark}id", "roles": "subject\trole", "groups": "participant_id\tgroup"}
    kind = draw(st.sampled_from(sorted(heads)))
    text = "\n".join([heads[kind], *rows] if draw(st.booleans()) else rows)
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "latin-1")))
    return kind, draw(st.just(text.encode(encoding, "ignore")) | st.binary(max_size=200))


def tabulate(table: tuple[str, bytes], folder: Path) -> None:
    """Read it as what it says it is."""
    kind, content = table
    (folder / "a.nii").touch()
    path = folder / "t.tsv"
    path.write_bytes(content)
    if kind == "rows":
        read_rows(path, (), Folders())
    elif kind == "roles":
        read_roles(path)
    else:
        read_groups(path)


@cache
def good_model() -> bytes:
    """The bytes of a small model."""
    with TemporaryDirectory() as folder:
        return small_model(Path(folder)).read_bytes()


def places(table: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to each value of nested tables."""
    for key, value in table.items():
        yield (*where, key)
        if isinstance(value, dict):
            yield from places(value, (*where, key))


def seldom(odd: st.SearchStrategy[Any], usual: Any) -> st.SearchStrategy[Any]:
    """What is usual, but one time in eight."""
    return st.integers(0, 7).flatmap(lambda turn: st.just(usual) if turn else odd)


@st.composite
def models(draw: st.DrawFn) -> bytes:
    """A good model with values of one of its headers changed, or with bytes changed."""
    content = good_model()
    end = 8 + int.from_bytes(content[:8], "little")
    outer = json.loads(content[8:end])
    about = json.loads(outer["__metadata__"]["slicenet"])
    del about["sha256"]  # or nothing would be looked at
    changed = draw(st.sampled_from((outer, about)))
    for _ in range(draw(st.integers(0, 2))):
        *way, last = draw(st.sampled_from(sorted(places(changed), key=repr)))
        inner: Any = changed
        for key in way:
            inner = inner[key] if isinstance(inner, dict) and key in inner else {}
        inner[last] = draw(ANY | st.sampled_from(("F16", "BF16", "F8_E4M3", "U16", "BOOL", "I8")))
    if isinstance(outer.get("__metadata__"), dict):
        said = draw(seldom(st.just("[" * 1500) | st.text(max_size=10), json.dumps(about)))
        outer["__metadata__"]["slicenet"] = said
    text = json.dumps(outer).encode()
    whole = bytearray(len(text).to_bytes(8, "little") + text + content[end:])
    for _ in range(draw(seldom(st.integers(1, 2), 0))):
        whole[draw(st.integers(0, 8) | st.integers(0, len(whole) - 1))] = draw(st.integers(0, 255))
    return bytes(whole[: draw(seldom(st.integers(0, len(whole)), len(whole)))])


def load(content: bytes, folder: Path) -> None:
    """Load it, although nothing says that it is whole."""
    path = folder / "model.safetensors"
    path.write_bytes(content)
    read(path, allow_unverified=True)


TEXTS = (
    Target("settings", recipes(), configure, 15),
    Target("tables", tables(), tabulate, 10),
    Target("model files", models(), load, 15),
)
