"""One phantom brain: a pure function of settings, seed and index."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from slicenet.phantom.anatomy import Anatomy, draw_variation, find_brain, grow_tissues
from slicenet.phantom.box import Box
from slicenet.phantom.contrast import CONTRAST, show
from slicenet.phantom.deformation import template_places
from slicenet.phantom.lesions import Lesion, Place, join_truths, plan_lesions
from slicenet.phantom.painting import Scene, paint
from slicenet.phantom.pushing import push
from slicenet.phantom.randomness import Purpose, Streams
from slicenet.phantom.scanner import coil, scan
from slicenet.phantom.settings import CONTRASTS, PhantomSettings
from slicenet.phantom.template import WHITE, load_template
from slicenet.volume import Volume


@final
@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic brain and the truth about it."""

    volume: Volume  # in MNI space; whole numbers, exactly 0 outside the brain and above 0 inside
    truth: Tensor  # [X, Y, Z] bool; empty in the healthy
    lesions: tuple[Lesion, ...] = ()


def make_phantom(
    settings: PhantomSettings, seed: int, index: int, lesioned: bool, shapes: Sequence[Path] = ()
) -> Phantom:
    """Subject `index`, lesioned or not: the same brain, the same scanner, the same noise.

    Without mass effect both are equal wherever the weight of every lesion is 0.
    """
    box, streams = Box(settings.spacing), Streams(seed, index)
    template = load_template(settings.template, settings.spacing)
    places = template_places(streams.of(Purpose.SHAPE), template, box)
    brain = find_brain(template, places)
    variation = draw_variation(streams.of(Purpose.TISSUE), brain, box)
    anatomy = grow_tissues(template, places, brain, variation)
    lesions: tuple[Lesion, ...] = ()
    if lesioned:
        white = anatomy.spread(anatomy.fractions[WHITE])
        site = Place(brain, box.affine, np.eye(4), white)
        lesions = plan_lesions(streams.of(Purpose.LESION), settings, site, shapes)
    if lesions and settings.mass_effect:
        # The brain's outline stays: a skull gives no way.
        places = push(streams.of(Purpose.PUSH), places, box.affine, lesions)
        anatomy = grow_tissues(template, places, brain, variation)
    images = _scan(settings, streams, box, anatomy, lesions)
    volume = Volume(
        torch.from_numpy(images),
        torch.from_numpy(brain),
        box.affine,
        f"sub-{index + 1:04d}",
        in_template_space=True,
        notices=template.notices,
    )
    return Phantom(volume, torch.from_numpy(join_truths(lesions, brain)), lesions)


def _scan(
    settings: PhantomSettings,
    streams: Streams,
    box: Box,
    anatomy: Anatomy,
    lesions: Sequence[Lesion],
) -> np.ndarray:
    """All contrasts, [M, X, Y, Z] float32; without lesions none depends on the others."""
    numbers = [CONTRASTS.index(name) for name in settings.contrasts]
    contrasts = [CONTRAST[name] for name in settings.contrasts]
    clean = [
        anatomy.spread(show(streams.of(Purpose.SIGNAL, number), anatomy, contrast))
        for number, contrast in zip(numbers, contrasts, strict=True)
    ]
    images = np.stack(clean)
    if lesions:
        polarities = tuple(contrast.polarity for contrast in contrasts)
        scene = Scene(images, anatomy.brain, np.full(3, box.spacing), polarities)
        images = paint(streams.of(Purpose.PAINT), scene, lesions, settings.strength)
    shading = coil(streams.of(Purpose.COIL), box, anatomy.brain)
    seen = [
        scan(streams.of(Purpose.SCANNER, number), image[anatomy.brain], shading, settings.noise)
        for number, image in zip(numbers, images, strict=True)
    ]
    return np.stack([anatomy.spread(one) for one in seen])
