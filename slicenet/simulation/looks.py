"""How lesions look: what takes the place of healthy signal, on the scale of quartile ranges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from slicenet.simulation.curves import bend
from slicenet.simulation.draws import Draws
from slicenet.simulation.settings import SimulationSettings
from slicenet.simulation.shapes import draw_centres
from slicenet.simulation.space import Space


@final
@dataclass(frozen=True, eq=False)
class Scene:
    """What lesions are put into, and the batch that lends them tissue."""

    space: Space
    voxels: Tensor  # [N, M, *space] before any lesion
    brain: Tensor  # [N, *space] bool
    centres: Tensor  # [N, D] int64, a voxel amid each lesion
    rows: Tensor  # [N] int64, which sample of the batch each is
    batch: Tensor  # [B, M, *space] before any lesion
    brains: Tensor  # [B, *space] bool

    def __len__(self) -> int:
        return len(self.voxels)

    def part(self, rows: Tensor) -> "Scene":
        """Some of the samples."""
        return replace(
            self, voxels=self.voxels[rows], brain=self.brain[rows],
            centres=self.centres[rows], rows=self.rows[rows],
        )  # fmt: skip

    def around(self, deviation: Tensor) -> Tensor:
        """Mean of the brain around each voxel, through Gaussians of `deviation` [N] mm."""
        inside = self.brain[:, None].to(self.voxels)
        mass = self.space.blur(inside, deviation).clamp(min=1e-3)
        return self.space.blur(self.voxels * inside, deviation) / mass


def paint(
    draws: Draws, scene: Scene, soft: Tensor, settings: SimulationSettings
) -> tuple[Tensor, Tensor]:
    """What lesions would show everywhere, and how much of it where, both [N, M, *space].

    They are where `soft` [N, *space] is, as strongly as it says.
    """
    count, sequences = scene.voxels.shape[:2]
    target = _look(draws, scene, settings)
    twice = draws.chance((count,), settings.mixed).nonzero()[:, 0]
    if len(twice):
        again = replace(scene.part(twice), voxels=target[twice])
        target[twice] = _look(draws, again, settings)
    opacity = draws.uniform((count, sequences), 0.5, 1.0)
    shown = ~draws.chance((count, sequences), settings.absent)
    shown |= ~shown.any(1, keepdim=True)  # a lesion that no sequence shows would be none
    weight = soft[:, None] * scene.space.spread(opacity * shown)
    return target * scene.brain[:, None], weight


def _look(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """One look for each sample, wherever it will show, [N, M, *space]."""
    target = torch.empty_like(scene.voxels)
    choices = torch.full((len(scene),), len(settings.looks), device=target.device)
    kinds = draws.below(choices)
    for number, name in enumerate(settings.looks):
        rows = (kinds == number).nonzero()[:, 0]
        if len(rows):
            target[rows] = KINDS[name](draws, scene.part(rows), settings)
    return target


def _shifted(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """Brighter or darker, each sequence by its own, and not evenly so."""
    shape = scene.voxels.shape[:2]
    shift = draws.signs(shape) * draws.log_uniform(shape, *settings.strengths)
    uneven = _texture(draws, scene, 3.0, 20.0) * scene.space.spread(draws.uniform(shape, 0.0, 0.4))
    return scene.voxels + scene.space.spread(shift) * (1 + uneven)


def _regained(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """Contrast lost, inverted or exaggerated around the local mean, which may shift."""
    shape = scene.voxels.shape[:2]
    mean = scene.around(draws.log_uniform((len(scene),), 2.0, 10.0))
    gain = torch.where(
        draws.chance(shape, 0.6), draws.uniform(shape, -0.6, 0.5), draws.uniform(shape, 1.7, 3.0)
    )
    shift = draws.signs(shape) * draws.uniform(shape, 0.0, 0.8)
    return mean + scene.space.spread(gain) * (scene.voxels - mean) + scene.space.spread(shift)


def _bent(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """Dark and bright tissue drawn together at one end, and apart at the other."""
    shape = scene.voxels.shape[:2]
    exponent = torch.exp(draws.signs(shape) * draws.uniform(shape, 0.25, 1.0))
    return bend(scene.voxels, scene.space.spread(exponent))


def _grained(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """A texture of its own around a level of its own; some of what was there shines through."""
    shape = scene.voxels.shape[:2]
    level = scene.space.spread(draws.uniform(shape, -2.5, 2.5))
    depth = scene.space.spread(draws.log_uniform(shape, 0.05, 1.2))
    kept = scene.space.spread(draws.uniform(shape, -0.2, 0.6).clamp(min=0))
    return level + depth * _texture(draws, scene, 0.7, 8.0) + kept * (scene.voxels - level)


def _blurred(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    return scene.around(draws.log_uniform((len(scene),), 1.5, 8.0))


def _sharpened(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """Every edge and every grain of noise stands out."""
    fine = scene.voxels - scene.around(draws.log_uniform((len(scene),), 1.0, 4.0))
    return scene.voxels + scene.space.spread(draws.uniform(fine.shape[:2], 1.0, 3.0)) * fine


def _foreign(draws: Draws, scene: Scene, settings: SimulationSettings) -> Tensor:
    """Tissue of another sample, mirrored and turned; voxels are copied, so its grain stays."""
    lenders, own = len(scene.batch), torch.ones_like(scene.rows)
    step = 1 + draws.below((lenders - 1) * own)  # from a batch of one, its own tissue
    chosen = (scene.rows + step) % lenders
    source = draw_centres(draws, scene.space, scene.brains[chosen])
    taken = torch.empty_like(scene.voxels)
    for row in range(len(scene)):
        places = _mirrored(draws, scene.space, scene.centres[row], source[row])
        lender = int(chosen[row])
        there = scene.brains[lender][places]
        everywhere: tuple[slice | Tensor, ...] = (slice(None), *places)
        taken[row] = torch.where(there, scene.batch[lender][everywhere], scene.voxels[row])
    return taken


def _mirrored(draws: Draws, space: Space, centre: Tensor, source: Tensor) -> tuple[Tensor, ...]:
    """For each voxel the one that it is copied from, `source` at `centre`: an index an axis.

    Beyond the edges, it goes on at the other side.
    """
    axes = len(space.shape)
    order = draws.uniform((axes,)).argsort().tolist()
    signs = draws.signs((axes,)).tolist()
    places = []
    for axis, sign in zip(order, signs, strict=True):
        line = torch.arange(space.shape[axis], device=space.device) - centre[axis]
        places.append((axis, sign, line))
    indices = []
    for number, (axis, sign, line) in enumerate(places):
        index = (int(sign) * line + source[number]) % space.shape[number]
        view = [1] * axes
        view[axis] = len(line)
        indices.append(index.view(view))
    return tuple(indices)


def _texture(draws: Draws, scene: Scene, finest: float, coarsest: float) -> Tensor:
    """Random fields of deviation 1, one for each sequence, [N, M, *space]."""
    count, sequences = scene.voxels.shape[:2]
    scale = draws.log_uniform((count * sequences,), finest, coarsest)
    field = scene.space.field(draws, scale, draws.uniform((len(scale),), 0.5, 4.0))
    return field.unflatten(0, (count, sequences))


Look = Callable[[Draws, Scene, SimulationSettings], Tensor]
KINDS: Mapping[str, Look] = {
    "shifted": _shifted,
    "regained": _regained,
    "bent": _bent,
    "grained": _grained,
    "blurred": _blurred,
    "sharpened": _sharpened,
    "foreign": _foreign,
}
