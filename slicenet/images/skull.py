"""What tells a head from a brain: it is too large, or a dark shell lies around its core."""

import numpy as np

LARGEST = 2.5  # litres; the largest brains with all their fluid measure 2.2, heads from 2.5 to 6
SHELLED = 0.38  # of the rays; measured by benchmarks/brain_masks.py
VOXEL = 2.0  # mm, edge of the blocks that are looked at
COARSEST = 4.0  # mm; in larger steps a ray misses the bone
SHORTEST = 60.0  # mm, extent that an axis needs to have rays along it
TISSUE = 0.3  # of the tissue's level, where a ray enters
DARK = 0.4  # of the brightest before and beyond, or of the tissue's level
BRIGHT = 0.5  # of the tissue's level, for most of the way beyond the bone
BONE = 20.0  # mm below the surface within which bone is looked for
CORE = (20.0, 50.0)  # mm below the surface where there ought to be brain
THICK = 3.0  # mm of darkness that make bone
FEWEST = 20  # rays that make a side


def why_not_stripped(voxels: np.ndarray, inside: np.ndarray, spacing: np.ndarray) -> str:
    """What speaks against `inside` [X, Y, Z] being a brain only; empty if nothing does."""
    litres = np.count_nonzero(inside) * float(np.prod(spacing)) / 1e6
    if litres > LARGEST:
        return f"{litres:.1f} litres are not background, a brain takes 0.6 to 2.2"
    share = shelled(voxels, inside, spacing)
    if share > SHELLED:
        return f"on {share:.0%} of the ways in, something dark like bone lies below the surface"
    return ""


def shelled(voxels: np.ndarray, inside: np.ndarray, spacing: np.ndarray) -> float:
    """The share of rays that pass bright, dark, then bright again: median over six sides."""
    heights, steps = _blocks(voxels, inside, spacing)
    if not heights.any():
        return 0.0
    level = np.percentile(heights[heights > 0], 75)
    shares = []
    for axis, step in enumerate(steps):
        if step > COARSEST or heights.shape[axis] * step < SHORTEST:
            continue
        lines = np.moveaxis(heights, axis, 0).reshape(heights.shape[axis], -1) / level
        for side in (lines, lines[::-1]):
            rays = _rays(side, step)
            if rays.shape[1] >= FEWEST:
                shares.append(float(_cross_bone(rays, step).mean()))
    return float(np.median(shares)) if shares else 0.0


def _blocks(
    voxels: np.ndarray, inside: np.ndarray, spacing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means over blocks of about `VOXEL` mm, 0 at the darkest; and the edges of blocks."""
    factors = np.clip(np.rint(VOXEL / spacing).astype(int), 1, voxels.shape)
    # The background, but for images whose brain lies around 0.
    low = min(float(np.median(voxels[~inside])), float(np.percentile(voxels[inside], 0.5)))
    heights = np.where(inside, voxels - low, 0).clip(min=0)
    for axis, factor in enumerate(factors):
        size = heights.shape[axis] // factor
        whole = np.moveaxis(heights, axis, 0)[: size * factor]
        means = whole.reshape(size, factor, *whole.shape[1:]).mean(1)
        heights = np.moveaxis(means, 0, axis)
    return heights, spacing * factors


def _rays(lines: np.ndarray, step: float) -> np.ndarray:
    """Ways in from where tissue begins, [depth, rays], of those that reach a core."""
    tissue = lines > TISSUE
    # A ray that begins at the end of the box was cut there: it has no surface.
    lines = lines[:, tissue.any(0) & ~tissue[0]]
    first = (lines > TISSUE).argmax(0)
    depths = first + np.arange(round(CORE[1] / step))[:, None]
    rays = np.take_along_axis(lines, depths.clip(max=len(lines) - 1), 0)
    rays[depths >= len(lines)] = 0
    core = rays[round(CORE[0] / step) :] > BRIGHT
    return rays[:, core.mean(0) > 0.5]


def _cross_bone(rays: np.ndarray, step: float) -> np.ndarray:
    """Which rays pass, near the surface, something darker than what lies before and beyond it."""
    before = np.maximum.accumulate(rays, 0)
    after = np.maximum.accumulate(rays[::-1], 0)[::-1]
    dark = rays < DARK * np.minimum(np.minimum(before, after), 1)
    near = dark[: round(BONE / step) + 1]
    thick = np.lib.stride_tricks.sliding_window_view(near, max(1, round(THICK / step)), 0)
    return np.asarray(thick.all(-1).any(0))
