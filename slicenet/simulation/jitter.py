"""How scans differ without a lesion in them: the whole sample changes, and no truth says so."""

import torch
from torch import Tensor

from slicenet.simulation.curves import bend
from slicenet.simulation.draws import Draws
from slicenet.simulation.settings import JitterSettings
from slicenet.simulation.space import Space

BLACK = 4.0  # quartile ranges below the median: about where there is no signal at all
SMOOTH = 40.0  # mm, scale of a coil's sensitivity


def jitter(draws: Draws, space: Space, voxels: Tensor, settings: JitterSettings) -> Tensor:
    """Samples [B, M, *space] as another scanner might have seen them.

    How much they vary is drawn as well, so that some hardly change.
    """
    count, sequences = shape = voxels.shape[:2]
    much = draws.uniform((count, 1)) * 1.5
    deviation = settings.blur * much[:, 0] * draws.uniform((count,))
    voxels = space.blur(voxels, deviation) if settings.blur else voxels
    if settings.curve:
        exponent = torch.exp(settings.curve * much * draws.normal(shape))
        voxels = bend(voxels, space.spread(exponent))
    if settings.field:
        scale = torch.full((count * sequences,), SMOOTH, device=voxels.device)
        field = space.field(draws, scale, torch.full_like(scale, 4.0)).unflatten(0, shape)
        gain = torch.exp(settings.field * space.spread(much) * field)
        voxels = (voxels + BLACK) * gain - BLACK
    gain = torch.exp(settings.contrast * much * draws.normal(shape))
    shift = settings.brightness * much * draws.normal(shape)
    voxels = voxels * space.spread(gain) + space.spread(shift)
    noise = space.spread(settings.noise * much * draws.uniform(shape))
    return voxels + noise * draws.normal(voxels.shape)
