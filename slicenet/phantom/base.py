"""Lesions in real scans that are taken to be healthy: as in Spatial-MSMA's evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
import torch

from slicenet.cohort import Case, Cohort, Query, find_cohort
from slicenet.cohort.naming import parse
from slicenet.errors import NoInputError
from slicenet.phantom.contrast import CONTRAST
from slicenet.phantom.lesions import Place, join_truths, plan_lesions
from slicenet.phantom.make import Phantom
from slicenet.phantom.painting import Scene, paint
from slicenet.phantom.pushing import push
from slicenet.phantom.randomness import Purpose, Streams
from slicenet.phantom.settings import PhantomSettings
from slicenet.volume import Volume

# Corners of the MNI brain's box, mm: where the mask of a stroke lies in a scan elsewhere.
MNI_BRAIN = (np.array([-72.0, -107.0, -72.0]), np.array([72.0, 74.0, 83.0]))


@final
@dataclass(frozen=True)
class Source:
    """A real scan that a subject is made of."""

    index: int  # among the usable scans of the base, sorted by name
    case: Case


def choose_sources(
    base: Path, contrasts: Sequence[str], healthy: int, lesioned: int, seed: int
) -> tuple[list[Source], list[Source]]:
    """Scans that stay healthy and scans that get lesions, of different subjects, drawn by seed."""
    usable: dict[str, Case] = {}
    for case in _find(base, contrasts).healthy().cases:
        if case.truth is None:
            usable.setdefault(case.subject, case)
    if healthy + lesioned > len(usable):
        message = f"{base}: asked for {healthy} + {lesioned} of {len(usable)} healthy subjects"
        raise NoInputError(message, "E_BASE", "lower --healthy or --lesioned")
    sources = [Source(index, case) for index, case in enumerate(usable.values())]
    order = Streams(seed, 0).of(Purpose.CHOICE).permutation(len(sources))
    # From both ends: asking for more of one group leaves the other's as they were.
    drawn = [sources[place] for place in order]
    return drawn[:healthy], drawn[len(drawn) - lesioned :]


def add_lesions(
    volume: Volume, settings: PhantomSettings, seed: int, index: int, shapes: Sequence[Path] = ()
) -> Phantom:
    """Put lesions into a healthy scan, whose sequences are `settings.contrasts`.

    Voxels where the weight of every lesion is 0 stay as they are, but for mass effect.
    """
    streams = Streams(seed, index)
    before, brain = volume.voxels.numpy(), volume.brain.numpy()
    anywhere = np.ones(brain.shape, np.float32)
    place = Place(brain, volume.affine, _to_mni(volume), anywhere)
    lesions = plan_lesions(streams.of(Purpose.LESION), settings, place, shapes)
    images = before
    if settings.mass_effect:
        pushed = push(streams.of(Purpose.PUSH), images, volume.affine, lesions)
        images = np.where(brain, pushed, images)
    polarities = tuple(CONTRAST[name].polarity for name in settings.contrasts)
    scene = Scene(images, brain, volume.spacing, polarities)
    images = paint(streams.of(Purpose.PAINT), scene, lesions, settings.strength)
    if np.array_equal(before, np.rint(before)):
        images = np.rint(images)  # whole numbers in, whole numbers out
    changed = replace(volume, voxels=torch.from_numpy(images.astype(np.float32)), source="")
    return Phantom(changed, torch.from_numpy(join_truths(lesions, brain)), lesions)


def _find(base: Path, contrasts: Sequence[str]) -> Cohort:
    if len(contrasts) > 1:
        return find_cohort([base], query=Query(sequences=tuple(contrasts)))
    try:
        return find_cohort([base], query=Query(suffix=tuple(contrasts)))
    except NoInputError:
        cohort = find_cohort([base])
        if any(parse(case.images[0].name).suffix for case in cohort.cases):
            raise
        return cohort  # plain names tell no contrast: the user has


def _to_mni(volume: Volume) -> np.ndarray:
    """World to MNI millimetres, [4, 4]; for scans elsewhere the boxes around the brains match."""
    if volume.in_template_space:
        return np.eye(4)
    inside = np.argwhere(volume.brain.numpy()) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    first, last = inside.min(0), inside.max(0)
    scale = (MNI_BRAIN[1] - MNI_BRAIN[0]) / np.maximum(last - first, 1.0)
    to_mni = np.diag([*scale, 1.0])
    to_mni[:3, 3] = MNI_BRAIN[0] - scale * first
    return to_mni
