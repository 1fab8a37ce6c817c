"""From healthy samples to some with lesions, and the truth about them."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.jitter import jitter
from slicenet.simulation.looks import Scene, paint
from slicenet.simulation.settings import SimulationSettings
from slicenet.simulation.shapes import draw_shapes
from slicenet.simulation.space import Space, space_of

TOGETHER = 2_000_000  # voxels of lesions that are drawn at a time
SEEN_THROUGH = 3.0  # mm, deviation of the blur through which a change must be visible


@torch.no_grad()
def simulate(
    voxels: Tensor,
    brain: Tensor,
    spacing: Sequence[float],
    settings: SimulationSettings,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Samples [B, M, *space] altered, and how much of a lesion each voxel is, [B, *space] 0 to 1.

    `spacing` is in millimetres, for two or three axes. Nothing outside `brain` [B, *space] changes
    from 0, and the truth is 0 where no change can be seen.
    """
    draws, space = Draws(generator, voxels.device), space_of(brain, spacing)
    count = len(voxels)
    lesions = draws.counts((count,), settings.mean).clamp(settings.least, settings.most)
    altered, truth = voxels * brain[:, None], torch.zeros(brain.shape, device=voxels.device)
    ranks = torch.arange(int(lesions.max()), device=voxels.device)
    rank, rows = (lesions > ranks[:, None]).nonzero().T  # the first lesion of every sample, then …
    together = max(1, TOGETHER // max(1, math.prod(space.shape)))
    for start in range(0, len(rows), together):
        own, turns = rows[start : start + together], rank[start : start + together]
        inside = brain[own]
        soft, centres = draw_shapes(draws, space, inside, settings)
        healthy = voxels[own] * inside[:, None]
        scene = Scene(space, healthy, inside, centres, own, voxels, brain)
        target, weight = paint(draws, scene, soft, settings)
        for turn in turns.unique():  # one upon the other where a sample has several
            those = turns == turn
            to = own[those]
            altered[to] = torch.lerp(altered[to], target[those], weight[those])
            truth[to] = torch.maximum(truth[to], soft[those])
    change = (altered - voxels).abs().amax(1)
    truth = truth * visible(change, brain, space, settings.visible)
    return jitter(draws, space, altered, settings.jitter) * brain[:, None], truth


def visible(change: Tensor, brain: Tensor, space: Space, least: float) -> Tensor:
    """From 0 where the change [B, *space] around is half of `least` to 1 where it is 1.5 of it."""
    deviation = torch.full((len(change),), SEEN_THROUGH, device=change.device)
    mass = space.blur(brain.to(change), deviation).clamp(min=1e-3)
    seen = space.blur(change * brain, deviation) / mass
    return ((seen + 1e-6) / (least + 1e-6) - 0.5).clamp(0, 1) * brain
