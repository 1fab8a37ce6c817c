"""How bright each tissue is in a T1-, T2- or FLAIR-like image."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.phantom.anatomy import Anatomy

JITTER = 0.04  # deviation by which protocols differ, as a share


@final
@dataclass(frozen=True)
class Contrast:
    """Signals of grey matter, white matter and fluid; the brightest of them is about 1."""

    signals: tuple[float, float, float]
    texture: float  # how the T1 template's own texture shows: 1 as it is, -1 turned round
    polarity: int  # -1 where water is dark


CONTRAST = {
    "T1w": Contrast((0.66, 1.0, 0.22), 0.8, -1),
    "T2w": Contrast((0.58, 0.42, 1.0), -0.5, 1),
    "FLAIR": Contrast((1.0, 0.78, 0.2), -0.4, 1),
}


def show(random: np.random.Generator, anatomy: Anatomy, contrast: Contrast) -> np.ndarray:
    """Signal of each voxel of the brain before noise, [N] float32, above 0."""
    signals = np.array(contrast.signals) * np.exp(random.normal(0, JITTER, 3))
    grey, white, fluid = signals.astype(np.float32)
    fractions = anatomy.fractions
    plain = grey * fractions[0] + white * fractions[1] + fluid * fractions[2]
    return plain * (1 + contrast.texture * anatomy.texture) * (1 + anatomy.grain)
