"""From healthy samples to some with lesions, and the truth about them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.jitter import jitter
from slicenet.simulation.looks import Scene, paint
from slicenet.simulation.settings import SimulationSettings
from slicenet.simulation.shapes import draw_shapes
from slicenet.simulation.space import Space, space_of

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
    lesions = 1 + draws.below(torch.full((count,), settings.most, device=voxels.device))
    lesions = lesions.where(~draws.chance((count,), settings.healthy), 0)
    altered, truth = voxels * brain[:, None], torch.zeros(brain.shape, device=voxels.device)
    for number in range(settings.most):
        rows = (lesions > number).nonzero()[:, 0]
        if len(rows):
            soft, centres = draw_shapes(draws, space, brain[rows], settings)
            scene = Scene(space, altered[rows], brain[rows], centres, rows, voxels, brain)
            altered[rows] = paint(draws, scene, soft, settings)
            truth[rows] = torch.maximum(truth[rows], soft)
    change = (altered - voxels).abs().amax(1)
    truth = truth * visible(change, brain, space, settings.visible)
    return jitter(draws, space, altered, settings.jitter) * brain[:, None], truth


def visible(change: Tensor, brain: Tensor, space: Space, least: float) -> Tensor:
    """From 0 where the change [B, *space] around is half of `least` to 1 where it is 1.5 of it."""
    deviation = torch.full((len(change),), SEEN_THROUGH, device=change.device)
    mass = space.blur(brain.to(change), deviation).clamp(min=1e-3)
    seen = space.blur(change * brain, deviation) / mass
    return ((seen + 1e-6) / (least + 1e-6) - 0.5).clamp(0, 1) * brain
