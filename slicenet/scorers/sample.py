"""Healthy vectors drawn from a whole cohort, as many of every volume."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.features import FeatureMap
from slicenet.scorers.tally import Tally
from slicenet.subjects import numbered


@final
@dataclass(frozen=True, eq=False)
class Sample:
    """Some vectors, and how all of them lie."""

    vectors: Tensor  # [N, C] float32, volume by volume
    mean: Tensor  # [C] float64, of all vectors, those not drawn included
    spread: Tensor  # [C] float64
    owner: Tensor  # [N] int64, whose a vector is, from 0


def draw_sample(maps: Iterable[FeatureMap], most: int, seed: int) -> Sample:
    """Walk the maps once; `most` vectors, or fewer where a volume has less than its share."""
    tally, parts, subjects = Tally(), list[Tensor](), list[str]()
    for index, features in enumerate(maps):
        vectors = features.vectors.cpu()
        tally.add(vectors)
        subjects.append(features.subject)
        share = -(-most // (index + 1))  # that of each volume if no other came
        order = torch.randperm(len(vectors), generator=drawing(seed, index))
        parts.append(vectors[order[:share]].float())
        if sum(map(len, parts)) > 2 * most:  # in random order, so that a first part is a fair one
            parts = [part[:share].clone() for part in parts]
    share, over = divmod(most, len(parts))
    kept = [part[: share + (index < over)] for index, part in enumerate(parts)]
    counts = torch.tensor([len(part) for part in kept])
    owner = torch.tensor(numbered(subjects)).repeat_interleave(counts)
    return Sample(torch.cat(kept), *tally.together(), owner)
