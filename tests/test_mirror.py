"""Every module has its test, every test its module, and no file holds more than one idea."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = 250


def files(*folders: str) -> list[str]:
    """Python files below the folders, without what the link slicenet/flows shows twice."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    return [name for name in names if not name.startswith("slicenet/flows/")]


def mirror(module: str) -> str:
    folder, _, name = module.rpartition("/")
    return f"tests/{folder}/test_{name}"


def test_every_module_has_a_test_of_its_name():
    modules = [name for name in files("slicenet", "flows") if not name.endswith("__init__.py")]
    assert [mirror(name) for name in modules if not (ROOT / mirror(name)).is_file()] == []


def test_every_test_has_a_module_of_its_name():
    # A test may also stand for a whole package: tests/slicenet/test_images.py, say.
    wrong = []
    for test in files("tests/slicenet", "tests/flows"):
        module = test.removeprefix("tests/").replace("/test_", "/")
        package = f"{module.removesuffix('.py')}/__init__.py"
        if "/test_" in test and not any((ROOT / name).is_file() for name in (module, package)):
            wrong.append(test)
    assert wrong == []


def test_every_file_holds_one_idea():
    names = ["cli.py", *files("slicenet", "flows", "tests", "benchmarks")]
    lines = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in names}
    assert {name: count for name, count in lines.items() if count > LINES} == {}


def test_the_link_shows_a_checkout_what_the_wheel_contains():
    link = ROOT / "slicenet/flows"
    if not os.path.lexists(link):
        pytest.skip("a source archive, which holds no link")
    assert link.resolve() == ROOT / "flows"
    assert link.readlink() == Path("../flows")
