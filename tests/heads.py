"""Small pictures of heads, with and without a lesion, as public sets of pictures hold them."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

SHAPE = (75, 65)


def head(seed: int, lesion: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Grey values of a head with what all have in common, and where its lesion is, [H, W]."""
    random = np.random.default_rng(seed)
    rows, columns = (np.linspace(-1, 1, edge) for edge in SHAPE)
    inside = (rows[:, None] / 0.85) ** 2 + (columns / 0.75) ** 2 < 1
    common = ndimage.gaussian_filter(np.random.default_rng(99).standard_normal(SHAPE), 3) * 100
    own = ndimage.gaussian_filter(random.standard_normal(SHAPE), 1) * 8
    truth = np.zeros(SHAPE, bool)
    if lesion:
        y, x = random.integers(26, 46), random.integers(22, 40)
        truth = (np.arange(75)[:, None] - y) ** 2 + (np.arange(65) - x) ** 2 < 30
    grey = np.where(inside, 110 + common + own + 80 * truth, 0)
    return grey.clip(0, 255).astype(np.uint8), truth


def save(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path
