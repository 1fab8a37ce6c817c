"""Image, map, brain and truth of a case as a page holds them: cropped, in bytes, packed."""

import base64
import gzip
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from slicenet.report.scale import Scale

MARGIN = 4  # voxels around the brain
MOST = 4_400_000  # bytes of packed text: what else a page holds stays below 600 KB
DARKEST, BRIGHTEST = 0.005, 0.995  # quantiles of the brain between which grey runs
BRAIN, TRUTH = 1, 2  # bits of the marks


@final
@dataclass(frozen=True, eq=False)
class Layers:
    """What a case shows, all [X, Y, Z] in RAS order on one grid."""

    scores: np.ndarray  # float32
    brain: np.ndarray  # bool
    affine: np.ndarray  # [4, 4] voxel to world, mm
    image: np.ndarray | None = None  # float32; none: it could not be had
    truth: np.ndarray | None = None  # bool

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Edges of a voxel, mm."""
        x, y, z = (float(edge) for edge in np.linalg.norm(self.affine[:3, :3], axis=0))
        return x, y, z

    def cropped(self) -> "Layers":
        """Without what lies further from the brain, and from the truth, than a margin."""
        wanted = self.brain if self.truth is None else self.brain | self.truth
        window, corner = [], np.eye(4)
        for axis in range(3):
            filled = np.flatnonzero(wanted.any(tuple({0, 1, 2} - {axis})))
            corner[axis, 3] = first = max(int(filled[0]) - MARGIN, 0)
            window.append(slice(first, int(filled[-1]) + MARGIN + 1))
        return self._changed(lambda each: each[tuple(window)], lambda each: each[tuple(window)],
                             self.affine @ corner)  # fmt: skip

    def reduced(self, times: int) -> "Layers":
        """Blocks of `times` voxels along each axis as one: the strangest of each, the mean grey."""
        if times == 1:
            return self
        step = np.array([min(times, size) for size in self.brain.shape])
        corner = np.diag([*step.astype(float), 1.0])
        corner[:3, 3] = (step - 1) / 2
        return self._changed(
            lambda each: _blocks(each, step).max((1, 3, 5)),
            lambda each: _blocks(each, step).mean((1, 3, 5)), self.affine @ corner,
        )  # fmt: skip

    def _changed(self, strongest: Any, usual: Any, affine: np.ndarray) -> "Layers":
        outside = np.where(self.brain, self.scores, -np.inf)
        brain, scores = strongest(self.brain), strongest(outside)
        return Layers(
            np.where(brain, scores, 0).astype(np.float32), brain, affine,
            None if self.image is None else usual(self.image),
            None if self.truth is None else strongest(self.truth),
        )  # fmt: skip


@final
@dataclass(frozen=True, eq=False)
class Packed:
    """The layers of a page; texts are base64 of gzip of bytes, x running fastest."""

    layers: Layers  # as shown
    times: int  # voxels of the map along an axis that one of the page stands for
    texts: dict[str, str]  # "image", "levels", "parts", "marks"
    window: tuple[float, float]  # grey values that are black and white
    edges: tuple[float, ...]  # scores that bound the levels


def pack(layers: Layers, scale: Scale, most: int = MOST) -> Packed:
    """The layers as finely as a page of its size can hold them.

    First scores within their levels are given up, then voxels.
    """
    layers = layers.cropped()
    times = 1
    while True:
        found = _packed(layers.reduced(times), scale, times)
        if sum(map(len, found.texts.values())) <= most:
            return found
        del found.texts["parts"]
        if sum(map(len, found.texts.values())) <= most:
            return found
        times += 1


def _packed(layers: Layers, scale: Scale, times: int) -> Packed:
    inside = layers.scores[layers.brain]
    edges = scale.edges(float(inside.min()), float(inside.max()))
    marks: np.ndarray = layers.brain * np.uint8(BRAIN)
    if layers.truth is not None:
        marks = marks + layers.truth * np.uint8(TRUTH)
    scores = layers.scores
    parts: dict[str, np.ndarray] = {
        "levels": np.where(layers.brain, scale.levels(scores), 0),
        "parts": np.where(layers.brain, scale.parts(scores, edges), 0),
        "marks": marks,
    }
    window = (0.0, 1.0)
    if layers.image is not None:
        window = _window(layers.image, layers.brain)
        grey = (layers.image - window[0]) / (window[1] - window[0])
        parts["image"] = np.clip(np.round(grey * 255), 0, 255)
    texts = {name: _text(values) for name, values in parts.items()}
    return Packed(layers, times, texts, window, tuple(edges.tolist()))


def _text(values: np.ndarray) -> str:
    # No time in it: the same volume gives the same page.
    packed = gzip.compress(values.astype(np.uint8).tobytes(order="F"), 6, mtime=0)
    return base64.b64encode(packed).decode()


def _window(image: np.ndarray, brain: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(image[brain], (DARKEST, BRIGHTEST))
    low = min(low, 0) if image.min() >= 0 else low
    return float(low), float(max(high, low + 1e-6))


def _blocks(values: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Views of blocks, [x, i, y, j, z, k]; the last ones are filled up with their own edge."""
    room = [(0, -size % int(each)) for size, each in zip(values.shape, step, strict=True)]
    padded = np.pad(values, room, mode="edge")
    shape = [n for size, each in zip(padded.shape, step, strict=True) for n in (size // each, each)]
    return padded.reshape(shape)
