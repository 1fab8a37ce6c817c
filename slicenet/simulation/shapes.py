"""Where lesions lie: soft shapes of four kinds, cut at the brain's edge.

A shape is a depth in millimetres, positive inside. Few are convex, most have holes, islands, necks
or corners: a network that has seen them all cannot rely on one outline.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.settings import SimulationSettings
from slicenet.simulation.space import Space

BALLS = 7  # of a chain, at most
FACES = 5  # of each solid of a block
NEVER = -1e4  # mm


def draw_shapes(
    draws: Draws, space: Space, brain: Tensor, settings: SimulationSettings
) -> tuple[Tensor, Tensor]:
    """A soft shape in each brain of [N, *space], 0 to 1, and a voxel amid it, [N, D] int64."""
    count = len(brain)
    least = max(settings.smallest, 0.7 * space.finest)  # anything smaller would miss every voxel
    radius = draws.log_uniform((count,), least, max(settings.largest, least))
    centres = draw_centres(draws, space, brain)
    away = _stretched(draws, space.away(centres))
    kinds = draws.below(torch.full((count,), len(settings.shapes), device=space.device))
    depth = away.new_empty(brain.shape)
    for number, name in enumerate(settings.shapes):
        rows = (kinds == number).nonzero()[:, 0]
        if len(rows):
            depth[rows] = KINDS[name](draws, space, away[rows], radius[rows])
    depth = depth + _ragged(draws, space, radius)
    edge = draws.log_uniform((count,), *settings.edges).minimum(0.5 * radius)
    soft = 0.5 + 0.5 * torch.erf(depth / space.spread(edge.clamp(min=0.3 * space.finest)))
    return soft * brain, centres


def draw_centres(draws: Draws, space: Space, brain: Tensor) -> Tensor:
    """A voxel of each brain, all equally likely, [N, D] int64."""
    ranks = brain.flatten(1).cumsum(1)  # [N, voxels]
    wanted = draws.below(ranks[:, -1]) + 1
    flat = torch.searchsorted(ranks, wanted[:, None])[:, 0].clamp(max=ranks.shape[1] - 1)
    places = []
    for size in reversed(space.shape):
        places.append(flat % size)
        flat = flat // size
    return torch.stack(places[::-1], 1)


def _stretched(draws: Draws, away: Tensor) -> Tensor:
    """Ways seen through a random turn and stretch, [N, D, *space]."""
    count, axes = away.shape[:2]
    turn, _ = torch.linalg.qr(draws.normal((count, axes, axes)))
    stretch = torch.exp(0.3 * draws.normal((count, axes)))
    return torch.einsum("nij,nj...->ni...", stretch[:, :, None] * turn, away)


def _clouds(draws: Draws, space: Space, away: Tensor, radius: Tensor) -> Tensor:
    """What stands out of a random field near the centre: lobes, holes and islands."""
    count = len(radius)
    scale = radius * draws.uniform((count,), 0.1, 0.6)
    field = space.field(draws, scale, draws.uniform((count,), 1.0, 4.0))
    height = draws.uniform((count,), 0.4, 2.0)
    nearness = 1 - away.square().sum(1) / space.spread(radius**2)
    return space.spread(0.6 * radius) * (nearness + space.spread(height) * field)


def _chains(draws: Draws, space: Space, away: Tensor, radius: Tensor) -> Tensor:
    """Balls that drift, grow and shrink, and melt into each other where they meet."""
    count, axes = away.shape[:2]
    balls = draws.below(torch.full((count,), BALLS - 2, device=space.device)) + 3
    size = radius / balls**0.5
    place = torch.zeros_like(radius)[:, None].repeat(1, axes)
    melt = space.spread(0.2 * size)
    depth = torch.full_like(away[:, 0], NEVER) / melt
    for number in range(int(balls.max())):
        distance = (away - space.spread(place)).square().sum(1).sqrt()
        reach = torch.where(number < balls, size, NEVER)
        depth = torch.logaddexp(depth, (space.spread(reach) - distance) / melt)
        step = draws.normal((count, axes))
        step = step / step.norm(dim=1, keepdim=True).clamp(min=1e-6)
        place = place + step * (size * draws.uniform((count,), 1.2, 2.2))[:, None]
        size = size * torch.exp(0.25 * draws.normal((count,)))
    return depth * melt


def _sheets(draws: Draws, space: Space, away: Tensor, radius: Tensor) -> Tensor:
    """A curved sheet through the centre, a line in a slice, with what else lies at its level."""
    count = len(radius)
    scale = radius * draws.uniform((count,), 0.2, 0.8)
    field = space.field(draws, scale, torch.full((count,), 4.0, device=space.device))
    distance = away.square().sum(1).sqrt()
    level = field.flatten(1).gather(1, distance.flatten(1).argmin(1, keepdim=True))
    half = radius * draws.log_uniform((count,), 0.08, 0.35)
    half = half.clamp(min=0.6 * space.finest)
    across = space.spread(scale) * (field - space.spread(level[:, 0])).abs()
    return torch.minimum(space.spread(half) - across, space.spread(1.3 * radius) - distance)


def _blocks(draws: Draws, space: Space, away: Tensor, radius: Tensor) -> Tensor:
    """Two solids of flat sides, grown together: corners that point outwards and inwards."""
    normal = draws.normal(away.shape[:2])
    aside = space.spread(normal * radius[:, None] * draws.uniform((len(radius), 1), 0.5, 1.2))
    return torch.maximum(
        _block(draws, space, away, radius), _block(draws, space, away - aside, 0.8 * radius)
    )


def _block(draws: Draws, space: Space, away: Tensor, radius: Tensor) -> Tensor:
    """What a few planes cut out of a ball."""
    depth = space.spread(1.4 * radius) - away.square().sum(1).sqrt()
    for _ in range(FACES):
        normal = draws.normal(away.shape[:2])
        normal = normal / normal.norm(dim=1, keepdim=True).clamp(min=1e-6)
        height = radius * draws.uniform((len(radius),), 0.2, 1.1)
        along = torch.einsum("nd,nd...->n...", normal, away)
        depth = torch.minimum(depth, space.spread(height) - along)
    return depth


def _ragged(draws: Draws, space: Space, radius: Tensor) -> Tensor:
    """What is added to depths so that no outline is smooth, [N, *space] mm."""
    count = len(radius)
    scale = (radius * draws.uniform((count,), 0.1, 0.4)).clamp(min=space.finest)
    height = 0.2 * scale * draws.uniform((count,))
    return space.spread(height) * space.field(draws, scale, draws.uniform((count,), 1.0, 3.0))


Shape = Callable[[Draws, Space, Tensor, Tensor], Tensor]
KINDS: Mapping[str, Shape] = {
    "clouds": _clouds,
    "chains": _chains,
    "sheets": _sheets,
    "blocks": _blocks,
}
