"""What is built from this tree, and that it works where nothing else of it is."""

import configparser
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from slicenet import __version__

ROOT = Path(__file__).parent.parent
# What git does not hold, or what no build reads.
LEFT_OUT = (
    ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "build", "dist",
    "demo", "tests", "notebooks",
)  # fmt: skip


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(tree: Path, out: Path) -> dict[str, Path]:
    """Build a source archive of the tree, and a wheel of that archive."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, tree, cwd=out.parent)
    return {"sdist": next(out.glob("*.tar.gz")), "wheel": next(out.glob("*.whl"))}


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of this tree as a fresh clone would have it."""
    copy = tmp_path_factory.mktemp("packaging") / "tree"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


@pytest.fixture(scope="module")
def built(tree) -> dict[str, Path]:
    return build(tree, tree.parent / "dist")


@pytest.fixture(scope="module")
def installed(built) -> Path:
    """The folder of commands of an environment that holds the wheel, and the libraries of ours."""
    home = built["wheel"].parents[1] / "environment"
    venv.create(home, with_pip=False)
    place = next(home.glob("lib/python*/site-packages"))
    # A line in a .pth adds a folder, not the .pth files in it: an editable slicenet stays out.
    (place / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    run(sys.executable, "-m", "pip", "--python", home / "bin/python", "install", "--no-deps",
        "--no-index", "--quiet", built["wheel"], cwd=home)  # fmt: skip
    return home / "bin"


def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_every_package_on_disk_is_listed():
    on_disk = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in (ROOT / "slicenet").rglob("__init__.py")
    }
    listed = setup()["options"]["packages"].split()
    assert set(listed) == on_disk | {"slicenet.flows"}
    assert listed == sorted(listed)


def test_the_version_is_told_once_and_cited_alike():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited
    assert cited[1] == __version__


def test_what_is_pinned_lies_within_the_ranges():
    pins = dict(re.findall(r"^(\w+)==([\d.]+)$", (ROOT / "constraints.txt").read_text(), re.M))
    assert set(pins) == {"nbconvert", "torch", "torchvision"}
    asked = setup()["options"]["install_requires"] + setup()["options.extras_require"]["dev"]
    for name in ("nbconvert", "torch"):
        lowest = re.search(rf"^{name}>=([\d.]+)$", asked, re.M)
        assert lowest
        numbers = [tuple(map(int, text.split("."))) for text in (lowest[1], pins[name])]
        assert numbers == sorted(numbers)


def test_the_wheel_has_one_top_level_name_and_all_of_it(built):
    names = set(contents(built["wheel"]))
    assert {name.split("/")[0] for name in names} == {
        "slicenet",
        f"slicenet_mri-{__version__}.dist-info",
    }
    sources = {f"slicenet/{file.relative_to(ROOT)}" for file in (ROOT / "flows").glob("*.py")}
    for file in (ROOT / "slicenet").rglob("*.py"):
        sources.add(file.relative_to(ROOT).as_posix())
    inside = {name for name in names if name.startswith("slicenet/")}
    for folder in ("presets/*.toml", "report/assets/*", "weights/packaged/*", "embedded/[!_]*"):
        sources |= {f.relative_to(ROOT).as_posix() for f in (ROOT / "slicenet").glob(folder)}
    assert inside == sources | {"slicenet/py.typed"}


def test_the_wheel_says_what_it_is(built):
    held = contents(built["wheel"])
    told = held[f"slicenet_mri-{__version__}.dist-info/METADATA"].decode()
    for line in (
        "Name: slicenet-mri",
        "Requires-Python: >=3.11",
        "License-Expression: MIT AND BSD-3-Clause AND CC-BY-SA-3.0",
    ):
        assert f"\n{line}\n" in told
    for folder in ("", "slicenet/embedded/", "slicenet/weights/packaged/"):
        assert f"slicenet_mri-{__version__}.dist-info/licenses/{folder}LICENSE" in held


def test_the_tree_and_its_source_archive_build_the_same_wheel(tree, built):
    # The wheel of `built` came from the archive.
    out = tree.parent / "direct"
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, tree,
        cwd=tree.parent)  # fmt: skip
    assert contents(next(out.glob("*.whl"))) == contents(built["wheel"])


def test_the_source_archive_holds_what_a_packager_needs(built):
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"LICENSE", "README.md", "Makefile", "constraints.txt", "cli.py", "flows/position.py"}
    assert needed <= names
    assert not any(name.endswith((".pyc", ".egg-link")) for name in names)


def test_an_installed_wheel_answers_from_any_folder(installed, tmp_path):
    assert __version__ in run(installed / "slicenet", "--version", cwd=tmp_path)


def test_an_installed_wheel_is_the_one_that_is_imported(installed, tmp_path):
    code = "import slicenet.flows.conditional as module; print(module.__file__)"
    file = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    assert file.is_relative_to(installed.parent)
