"""What teaches and what tests share nothing: else a model would be asked what it was told."""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import torch

from slicenet.phantom.outlines import draw_outline
from slicenet.simulation.draws import Draws
from slicenet.simulation.settings import SimulationSettings
from slicenet.simulation.shapes import draw_shapes
from slicenet.simulation.space import space_of

ROOT = Path(__file__).parents[2]
# What both may stand on: it knows of no lesion, of no shape and of no look.
NEUTRAL = {"slicenet.errors"}
SIMULATION, PHANTOM = "slicenet.simulation", "slicenet.phantom"


def path_of(module):
    """The file of one of our modules; none for a name within a module, or of others."""
    base = ROOT / module.replace(".", "/")
    files = (base.with_suffix(".py"), base / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def tree_of(module):
    return ast.parse(path_of(module).read_text("utf-8"))


def imported(module):
    for node in ast.walk(tree_of(module)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == "slicenet" and path_of(name))


def package(name):
    folder = ROOT / name.replace(".", "/")
    return {name, *(f"{name}.{file.stem}" for file in folder.glob("*.py"))} - {f"{name}.__init__"}


def closure(name):
    """All our modules that are loaded with a package, but for the lazy door of the whole."""
    found, waiting = set(), package(name)
    while waiting:
        module = waiting.pop()
        found.add(module)
        waiting |= set(imported(module)) - found - {"slicenet"}
    return found


def functions(modules):
    """Bodies of functions with every name and number taken out, by the place of their first."""
    bodies = {}
    for module in sorted(modules):
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.FunctionDef):
                bodies.setdefault(skeleton(node), f"{module}.{node.name}")
    return bodies


def skeleton(function):
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]  # what is said about it is not what it does
    bare = ast.parse(ast.unparse(ast.Module(body=body, type_ignores=[])))
    names = {}
    for node in ast.walk(bare):
        if isinstance(node, ast.Name):
            node.id = names.setdefault(node.id, f"n{len(names)}")
    return ast.dump(bare)


def test_neither_knows_of_the_other():
    assert not any(name.startswith(PHANTOM) for name in closure(SIMULATION))
    assert not any(name.startswith(SIMULATION) for name in closure(PHANTOM))


def test_the_search_sees_what_is_imported_at_second_hand():
    assert "slicenet.images.stored" in closure(PHANTOM)
    assert package(PHANTOM) < closure(PHANTOM)
    assert package(SIMULATION) < closure(SIMULATION)


def test_they_share_neutral_ground_only():
    assert closure(SIMULATION) & closure(PHANTOM) <= NEUTRAL


def test_no_function_of_one_is_a_function_of_the_other_by_other_names():
    teaching = functions(closure(SIMULATION) - NEUTRAL)
    testing = functions(closure(PHANTOM) - NEUTRAL)
    same = [f"{teaching[body]} is {testing[body]}" for body in teaching.keys() & testing.keys()]
    assert same == []


def test_a_renamed_copy_would_be_seen():
    first, second, other = (
        ast.parse(text).body[0]
        for text in (
            'def f(a, b):\n "One."\n return a * b + 1',
            "def g(x, y):\n return x * y + 1",
            "def g(x, y):\n return x * y + 2",
        )
    )
    assert skeleton(first) == skeleton(second) != skeleton(other)


def starlike(mask, centre):
    """Share of the mask that can be seen from `centre` without leaving it."""
    places = np.argwhere(mask)
    steps = np.linspace(0, 1, 40)[:, None, None]
    line = np.rint(centre + steps * (places - centre)).astype(int)
    return float(mask[tuple(np.moveaxis(line, 2, 0))].all(0).mean())


def test_outlines_that_test_are_stars_around_their_centre_and_most_that_teach_are_not():
    random, shape, radius = np.random.default_rng(0), (48, 48, 48), 18.0
    affine, middle = np.diag([2.0, 2.0, 2.0, 1.0]), np.array([24, 24, 24])
    testing = [
        starlike(draw_outline(random, affine, shape, middle, radius) >= 0, middle)
        for _ in range(12)
    ]
    brain = torch.ones(40, *shape, dtype=torch.bool)
    draws = Draws(torch.Generator().manual_seed(0), brain.device)
    settings = SimulationSettings(smallest=radius, largest=radius)
    soft, centres = draw_shapes(draws, space_of(brain, (2.0,) * 3), brain, settings)
    masks = (soft > 0.5).numpy()
    teaching = [
        starlike(mask, centre)
        for mask, centre in zip(masks, centres.numpy(), strict=True)
        if mask.any()
    ]
    assert min(testing) > 0.985  # but for voxels that a ray only grazes
    assert np.mean(np.array(teaching) < 0.985) > 0.5
    assert np.quantile(teaching, 0.25) < 0.9
