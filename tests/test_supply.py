"""What others hand us cannot run, nothing is fetched unasked, and what we rest on is pinned."""

import ast
import configparser
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
SOURCES = [
    ROOT / "cli.py",
    *(
        path
        for folder in ("slicenet", "flows", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.is_relative_to(ROOT / "slicenet/flows")  # a link to flows/
    ),
]
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCES}
RUNS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load"}
UNPACKS = {"extractall", "unpack_archive"}  # members may be named ../../ or be links
UNPICKLE = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml"}
NETWORK = {"socket", "ssl", "http", "urllib", "requests", "httpx", "aiohttp", "ftplib", "smtplib"}
NETWORKED = {
    ("slicenet/weights/download.py", "http.client"),
    ("slicenet/weights/download.py", "ssl"),
    ("slicenet/weights/download.py", "urllib.error"),
    ("slicenet/weights/download.py", "urllib.request"),
    ("slicenet/locking.py", "socket"),  # the name of this machine
}


def wrong_calls(tree: ast.AST) -> list[str]:
    """Calls that run what they are given, or unpack it wherever it wants."""
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        told = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        by_torch = name.endswith("torch.load") and told.get("weights_only") != "True"
        pickled = told.get("allow_pickle", "False") != "False"
        shell = told.get("shell", "False") != "False"
        if name in RUNS or name.split(".")[-1] in UNPACKS or by_torch or pickled or shell:
            found.append(ast.unparse(call))
    return found


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(
    "line",
    [
        "eval(text)", "exec(text)", "yaml.load(text)", "archive.extractall(place)",
        "subprocess.run(text, shell=True)", "torch.load(path)", "np.load(path, allow_pickle=True)",
        "torch.load(path, weights_only=False)",
    ],
)  # fmt: skip
def test_what_must_not_be_written_would_be_seen(line):
    assert wrong_calls(ast.parse(line)) == [line]


def test_nothing_that_is_read_can_run_or_choose_where_it_goes():
    assert {name: found for name, tree in TREES.items() if (found := wrong_calls(tree))} == {}


def test_nothing_is_unpickled():
    users = {
        (name, other)
        for name, tree in TREES.items()
        for other in imported(tree)
        if other.split(".")[0] in UNPICKLE
    }
    # The exception may be named: it is what refusing a pickle looks like.
    assert users == {("slicenet/weights/reading.py", "pickle.UnpicklingError")}


def test_one_module_alone_can_reach_the_network():
    users = {
        (name, module)
        for name, tree in TREES.items()
        if name.startswith(("slicenet/", "flows/"))
        for other in imported(tree)
        if other.split(".")[0] in NETWORK and not other.startswith("urllib.parse")
        for module in [other if other in {"socket", "ssl"} else ".".join(other.split(".")[:2])]
    }
    assert users == NETWORKED


def test_110_tests_reach_no_network_here_or_in_processes_that_they_start():
    with pytest.raises(RuntimeError, match="reached for the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)  # for documents, nobody's
    with pytest.raises(RuntimeError, match="reached for the network"):
        socket.getaddrinfo("example.org", 80)
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "reached for the network" in done.stderr


def pinned() -> dict[str, list[tuple[str, str]]]:
    """Versions in the lock by name, each with where it counts; each has a hash, and no address."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", text).strip())
    found: dict[str, list[tuple[str, str]]] = {}
    for block in blocks:
        head, *hashes = [part.strip().rstrip("\\").strip() for part in block.splitlines()]
        wanted = Requirement(head)
        assert wanted.url is None, block
        assert hashes, block
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), block
        (specifier,) = wanted.specifier
        assert specifier.operator == "==", block
        found.setdefault(canonical(wanted.name), []).append((specifier.version, str(wanted.marker)))
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_holds_versions_that_are_asked_for_and_no_address():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    asked = f"{setup['options']['install_requires']}\n{extras['dev']}".split("\n")
    known = pinned()
    for wanted in map(Requirement, filter(None, map(str.strip, asked))):
        versions = [version for version, _ in known[canonical(wanted.name)]]
        assert all(version in wanted.specifier for version in versions), wanted
    constraints = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    for wanted in (Requirement(line) for line in constraints if not line.startswith("#")):
        versions = [version for version, _ in known.get(canonical(wanted.name), [])]
        assert all(version in wanted.specifier for version in versions), wanted


def test_a_lock_names_no_registry():
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*--(?!hash)", text)
