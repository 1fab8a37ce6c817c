"""Which truth belongs to which map, and both read on one grid."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np
import torch

from slicenet.cohort import Case, Query, find_cohort
from slicenet.cohort.naming import ENDINGS, parse_stem, stem_of
from slicenet.errors import ConfigError, NoInputError, Notice, VolumeError
from slicenet.images.grid import Grid
from slicenet.images.image import read_mask
from slicenet.images.options import ReadOptions
from slicenet.images.picture_file import is_picture
from slicenet.images.printable import naming
from slicenet.images.stored import read_stored
from slicenet.metrics.case import ScoredCase
from slicenet.metrics.maps import MapFile
from slicenet.scoring import worst

TRUTH_MARKS = ("_label-lesion_mask", "_lesion_mask", "_lesion", "_truth", "_seg", "_mask", "")
MOST = 0.5  # of the brain that a lesion mask may mark; more is an image taken for a mask
SHARE = 0.01  # of the brain, whose mean stands for a volume score that nobody wrote down


@final
@dataclass(frozen=True)
class Truths:
    """The truth of maps by name; None means healthy, and absence that nobody knows."""

    masks: Mapping[str, Path | None]
    notices: tuple[Notice, ...] = ()
    labels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # that alone count


def find_truths(place: Path, files: Sequence[MapFile]) -> Truths:
    """Truth in a BIDS root, a table, or a folder of masks named like the cases."""
    try:
        cohort = find_cohort([place])
        cases, notices = cohort.cases, cohort.notices
    except NoInputError:
        if not place.is_dir():
            raise
        # A folder of masks alone has no images, so no cases.
        cases, notices = (), ()
    told = _telling(cases)
    matched = {**_match(files, told), **_other_sequences(place, files, told)}
    if told or matched:
        masks = {name: case.truth for name, case in matched.items()}
        labels = {name: case.labels for name, case in matched.items() if case.labels}
        return Truths(masks, notices, labels)
    if not place.is_dir():
        raise NoInputError(f"{place}: tells of no truth", "E_TRUTH", "a table has a column truth")
    return Truths(_named_masks(place, files))


def read_case(
    file: MapFile, truth: Path | None, options: ReadOptions, labels: Sequence[int] = ()
) -> tuple[ScoredCase, tuple[Notice, ...]]:
    """The map, the brain and the truth of one case in RAS order."""
    with naming(file.heatmap):
        # Not as an image: a map may be constant or look like labels.
        stored = read_stored(file.heatmap, options)
    grid = stored.place.grid
    scores = np.ascontiguousarray(grid.to_ras(stored.voxels))
    brain, brain_notices = _mask(file.brain, grid, options)
    marked, truth_notices = _mask(truth, grid, options, labels)
    inside = (scores != 0) & np.isfinite(scores) if brain is None else brain
    if not inside.any():
        raise VolumeError(f"{file.heatmap}: no voxel lies in the brain", "E_MASK")
    if truth and marked is not None and marked[inside].mean() > MOST:
        text = f"{truth}: marks {marked[inside].mean():.0%} of the brain"
        raise VolumeError(text, "E_TRUTH", "is it an image, or the mask of the brain?")
    overall = file.volume_score
    if overall is None:
        overall = worst(torch.from_numpy(scores), torch.from_numpy(inside), SHARE)
    x, y, z = (float(edge) for edge in np.linalg.norm(grid.ras_affine[:3, :3], axis=0))
    case = ScoredCase(file.name, scores, inside, marked, (x, y, z), overall, file.subject)
    return case, (*brain_notices, *truth_notices)


def _telling(cases: Iterable[Case]) -> dict[str, Case]:
    return {case.name: case for case in cases if case.truth or case.is_healthy}


def _other_sequences(
    place: Path, files: Sequence[MapFile], told: Mapping[str, Case]
) -> dict[str, Case]:
    """Cases by the names of maps whose sequence is not taken unless it is asked for."""
    wanted = {file.name for file in files if file.name not in told}
    matched: dict[str, Case] = {}
    for suffix in sorted({parse_stem(name).suffix for name in wanted} - {""}):
        with suppress(NoInputError, ConfigError):
            found = _telling(find_cohort([place], query=Query(suffix=(suffix,))).cases)
            matched |= {name: case for name, case in found.items() if name in wanted}
    return matched


def _match(files: Sequence[MapFile], cases: Mapping[str, Case]) -> dict[str, Case]:
    """By name, else by subject where it is the only one of its subject on both sides."""
    here = Counter(file.subject for file in files)
    there = Counter(case.subject for case in cases.values())
    by_subject = {case.subject: case for case in cases.values()}
    matched: dict[str, Case] = {}
    for file in files:
        alone = here[file.subject] == there[file.subject] == 1
        case = cases.get(file.name) or (by_subject[file.subject] if alone else None)
        if case is not None:
            matched[file.name] = case
    return matched


def _named_masks(folder: Path, files: Sequence[MapFile]) -> dict[str, Path | None]:
    """Masks by the names of the cases, whatever mark follows the name."""
    there = {
        stem_of(path.name): path
        for path in sorted(folder.rglob("*"))
        if (path.name.lower().endswith(ENDINGS) or is_picture(path.name))
        and not path.name.startswith(".")
    }
    matched: dict[str, Path | None] = {}
    for file in files:
        stems = [stem + mark for mark in TRUTH_MARKS for stem in _stems(file.name)]
        found = next((there[stem] for stem in stems if stem in there), None)
        if found:
            matched[file.name] = found
    return matched


def _stems(name: str) -> tuple[str, ...]:
    """The name, and in BIDS the name without and with the suffix that outputs leave out."""
    parsed = parse_stem(name)
    if not parsed.in_bids:
        return (name,)
    bare = "_".join(f"{key}-{label}" for key, label in parsed.entities)
    return (name, bare) if parsed.suffix else (name, f"{name}_T1w")


def _mask(
    path: Path | None, grid: Grid, options: ReadOptions, labels: Sequence[int] = ()
) -> tuple[np.ndarray | None, tuple[Notice, ...]]:
    if path is None:
        return None, ()
    stored, notices = read_mask(path, grid, options, labels)
    return np.ascontiguousarray(grid.to_ras(stored)), notices
