"""Imports only ever point down, and some things are never written."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# From the ground up; the units of one row do not know each other.
FLOORS = [
    {
        "errors",
        "watch",
        "files",
        "folders",
        "machine",
        "mni",
        "resampling",
        "stopping",
        "flows",
        "timm_door",
        "presets",
        "subjects",
        "draws",
        "tables",
    },
    {
        "apart",
        "config",
        "drift",
        "halving",
        "embedded",
        "images",
        "installed",
        "journal",
        "locking",
        "savepoint",
        "simulation",
    },
    {"datasets", "pool", "volume", "weights", "views"},
    {"domain", "elsewhere"},
    {"cohort", "components", "frame", "features", "calibration", "drawing"},
    {"scoring", "cache", "inspection", "phantom"},
    {"extractors", "learning", "scorers", "preparing"},
    {"detector"},
    {"backends"},
    {"checkpoint", "metrics"},
    {"output", "training", "bench", "checkup", "leaderboard"},
    {"recipe", "report", "tuning"},
    {"card", "comparing", "demo", "training_page", "viewer"},
    {"commands"},
    {"__main__"},
]
HEIGHT = {f"slicenet.{unit}": height for height, floor in enumerate(FLOORS) for unit in floor}
# Its names are imported when they are first used, so it stands beside the floors.
LAZY = "slicenet"


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = ("slicenet", *parts) if parts[0] == "flows" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit(name: str) -> str:
    return ".".join(name.split(".")[:2])


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


FILES = [
    path
    for folder in ("slicenet", "flows")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.is_relative_to(ROOT / "slicenet/flows")  # a link to flows/
]
TREES = {module(path): ast.parse(path.read_text("utf-8")) for path in FILES}
IMPORTS = [(name, other) for name, tree in TREES.items() for other in imports(tree)]
CALLS = [(name, call) for name, tree in TREES.items() for call in calls(tree)]


def test_every_module_stands_on_a_floor_and_every_floor_holds_modules():
    units = {unit(name) for name in TREES} - {LAZY}
    assert units == set(HEIGHT), "place them in FLOORS, on purpose"


def test_imports_only_point_down():
    upwards = [
        f"{name} imports {other}"
        for name, other in IMPORTS
        if name != LAZY
        and unit(other) in HEIGHT
        and unit(other) != unit(name)
        and HEIGHT[unit(other)] >= HEIGHT[unit(name)]
    ]
    assert upwards == []


def test_the_lazy_door_of_the_package_is_for_users_only():
    # `slicenet.load` would be an import upwards that no floor could see.
    allowed = {*HEIGHT, "slicenet.__version__"}
    through = [
        f"{name} imports {other}"
        for name, other in IMPORTS
        if other.startswith("slicenet.") and unit(other) not in allowed
    ]
    through += [
        f"{name} uses {ast.unparse(node)}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "slicenet"
        and node.attr != "__version__"
    ]
    assert through == []


def test_flows_go_by_one_name_and_know_nothing_of_the_rest():
    # Written `flows`, they would be a second copy of each class.
    assert [name for name, other in IMPORTS if other.split(".")[0] == "flows"] == []
    inside = [(name, other) for name, other in IMPORTS if unit(name) == "slicenet.flows"]
    ours = [pair for pair in inside if pair[1].startswith("slicenet")]
    assert [pair for pair in ours if unit(pair[1]) != "slicenet.flows"] == []


def test_timm_comes_through_its_door():
    users = {name for name, other in IMPORTS if other.split(".")[0] == "timm"}
    assert users == {"slicenet.timm_door"}


def test_imports_are_absolute_and_named():
    wrong = [
        f"{name}: {ast.unparse(node)}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*")
    ]
    assert wrong == []


def test_imports_stand_at_the_top_but_in_commands():
    wrong = [
        f"{name}.{function.name}: {ast.unparse(node)}"
        for name, tree in TREES.items()
        if name != LAZY and unit(name) != "slicenet.commands"  # `--help` must be instant
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert wrong == []


def test_nothing_prints_or_stops_for_a_debugger():
    forbidden = {"print", "breakpoint"}
    wrong = [f"{name}: {ast.unparse(call)}" for name, call in CALLS
             if ast.unparse(call.func) in forbidden]  # fmt: skip
    assert wrong == []


# What opens, makes, moves or removes files, and is for slicenet.files alone.
DISK = {
    *("open", "io.open", "FileIO", "io.FileIO", "gzip.open", "nib.load", "nib.save", "json.load"),
    *("json.dump", "np.save", "np.load", "np.savez", "safe_open", "load_file", "save_file"),
    *("torch.save", "sitk.WriteTransform", "sitk.WriteImage", "sitk.ReadImage"),
    *(f"os.{name}" for name in ("open", "write", "pwrite", "truncate", "ftruncate", "fsync")),
    *(f"os.{name}" for name in ("replace", "rename", "unlink", "remove", "mkdir", "makedirs")),
    *(f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree", "move", "rmtree")),
    *(f"tempfile.{name}" for name in ("mkstemp", "NamedTemporaryFile", "TemporaryFile")),
}
OF_PATHS = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "mkdir", "unlink"),
    *("rmdir", "rename", "symlink_to", "hardlink_to", "tofile", "savefig"),
}
ELSEWHERE = {
    "slicenet.bench.slices: np.load",  # of what slicenet.files has opened
    "slicenet.bench.worker: np.save",  # into what it has opened
    "slicenet.images.picture_file: Image.open",  # the same
    "slicenet.drawing: figure.savefig",  # into memory
    "slicenet.preparing.subject: sitk.WriteTransform",  # takes nothing but a name
    "slicenet.locking: os.ftruncate",  # who holds a lock, for people to read
    "slicenet.locking: os.pwrite",
    "slicenet.stopping: os.write",  # to the terminal, from a signal
    "slicenet.commands.door: os.open",  # the null device
    "slicenet.viewer: webbrowser.open",
}
PACKAGED = {"slicenet.presets", "slicenet.report.document"}  # read what was installed with them
SYSTEM = {"slicenet.machine"}  # reads what the system says of itself


def _touches_the_disk(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    owner, _, last = name.rpartition(".")
    return name in DISK or (bool(owner) and owner != "files" and last in OF_PATHS)


def test_one_module_alone_touches_the_disk():
    others = {
        f"{name}: {ast.unparse(call.func)}"
        for name, call in CALLS
        if _touches_the_disk(call) and name not in {"slicenet.files", *PACKAGED, *SYSTEM}
    }
    assert others == ELSEWHERE


def test_the_command_line_waits_for_no_heavy_library():
    heavy = ("torch", "numpy", "scipy", "nibabel", "sklearn", "matplotlib", "timm", "FrEIA")
    code = f"import sys, slicenet.commands; print(*(n for n in {heavy} if n in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
