"""From healthy volumes or pictures to a backbone that was fine-tuned, and what it learnt from."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch

from slicenet import __version__
from slicenet.backends.simpleslicenet import SimpleSliceNet
from slicenet.cache import Cache
from slicenet.checkpoint import versions
from slicenet.errors import ConfigError, Notice
from slicenet.extractors.finetune import DECODING, finetune
from slicenet.extractors.picture_folder import PictureFolder
from slicenet.extractors.pretrained import RANDOM
from slicenet.extractors.slices import SliceExtractor
from slicenet.extractors.tuned import TunedOrigin, bring_decoder
from slicenet.files import digest
from slicenet.frame import Frame
from slicenet.inspection import Usable
from slicenet.learning import fit_extractor, identities, learn
from slicenet.savepoint import Savepoint
from slicenet.training import TrainSettings, parts
from slicenet.watch import Watch, silent


@final
@dataclass(frozen=True, eq=False)
class Tuned:
    """A backbone that has learnt, with what its file will say of it."""

    extractor: SliceExtractor
    origin: TunedOrigin
    taught: int  # volumes or pictures
    held: int = 0  # volumes of subjects that were left for calibration


def tune_by_volumes(
    backend: SimpleSliceNet,
    usable: Usable,
    settings: TrainSettings,
    watch: Watch = silent,
    device: str = "cpu",
    cache: Cache | None = None,
) -> Tuned:
    """Fine-tune on the volumes that `train` would fit; those it calibrates on stay unseen."""
    check_method(backend)
    cohort = usable.cohort
    fitted, held = parts(cohort.cases, settings)
    volumes = cohort.select(fitted)
    frame, extractor = Frame(backend.frame), _extractor(backend, settings.seed, device)
    frame.fit(volumes, watch)
    fit_extractor(frame, extractor, volumes, identities(volumes), watch, cache or Cache())
    files = [digest(path) for case in volumes.cases for path in case.images]
    origin = _origin(backend, extractor, files, settings.seed, cohort.synthetic)
    return Tuned(extractor, origin, len(fitted), len(held))


def tune_by_pictures(
    backend: SimpleSliceNet,
    folder: PictureFolder,
    settings: TrainSettings,
    watch: Watch = silent,
    device: str = "cpu",
    cache: Cache | None = None,
) -> Tuned:
    """Fine-tune on every picture of a folder; nothing of them will ever be calibrated on."""
    check_method(backend)
    slices = backend.slices
    if slices.picture.usual:
        hint = "slices.picture.usual=false"
        raise ConfigError("a picture has no place where anything is usual", "E_SETTING", hint)
    tuning = slices.finetune
    extractor = _extractor(backend, settings.seed, device)

    def fit(savepoint: Savepoint) -> None:
        extractor.backbone.bring_weights()
        if extractor.decoder is not None:
            bring_decoder(extractor.decoder, slices.backbone.weights, needed=False)
        finetune(
            extractor.backbone, extractor.decoder, [folder.pool], slices.picture,
            slices.neighbourhood, tuning, extractor.seed, watch, savepoint,
        )  # fmt: skip

    lesson = f"pictures {__version__} {extractor.lessons()} {folder.files}"
    learn(extractor, fit, lesson, cache or Cache(), watch)
    origin = _origin(backend, extractor, folder.files, settings.seed, synthetic=False)
    return Tuned(extractor, origin, len(folder.pool))


def check_method(backend: SimpleSliceNet) -> None:
    """Refuse settings by which nothing would be learnt."""
    if backend.slices.finetune.method == "none":
        raise ConfigError("finetune.method: none leaves nothing to write", "E_SETTING")


def leaves_no_decoder(backend: SimpleSliceNet) -> bool:
    """Whether the weights will be those of a backbone alone."""
    return backend.slices.finetune.method != DECODING


def remarks(tuned: Tuned) -> tuple[Notice, ...]:
    """What a user of the weights has to know."""
    found = []
    if tuned.origin.backbone.weights == RANDOM:
        name = tuned.origin.backbone.name
        message = f"{name} started from random weights: it has seen nothing but this"
        found.append(Notice("W_RANDOM_WEIGHTS", message))
    if tuned.origin.synthetic:
        message = "the weights have learnt from phantoms only: they say nothing about patients"
        found.append(Notice("W_SYNTHETIC", message))
    return tuple(found)


def _extractor(backend: SimpleSliceNet, seed: int, device: str) -> SliceExtractor:
    # Weights drawn at build time follow from the seed, as in training.
    torch.manual_seed(seed)
    return SliceExtractor(backend.slices).to(device)


def _origin(
    backend: SimpleSliceNet,
    extractor: SliceExtractor,
    files: Sequence[str],
    seed: int,
    synthetic: bool,
) -> TunedOrigin:
    slices, before = backend.slices, extractor.learnt_from()
    tables = {
        name: dataclasses.asdict(getattr(slices, name))
        for name in ("finetune", "picture", "neighbourhood")
    } | {"frame": dataclasses.asdict(backend.frame), "planes": slices.planes}
    return TunedOrigin(
        slices.backbone, slices.finetune.decoder, slices.finetune.method == DECODING,
        slices.finetune.method, tables, tuple(dict.fromkeys((*before, *files))), seed, synthetic,
        versions(),
    )  # fmt: skip
