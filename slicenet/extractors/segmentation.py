"""A backbone and a decoder learn to find simulated lesions in healthy slices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet import stopping
from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone
from slicenet.extractors.crops import around
from slicenet.extractors.decoder import Decoder
from slicenet.extractors.norms import ENOUGH, settle
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slice_pool import SlicePool
from slicenet.savepoint import Savepoint, State, packed, unpack
from slicenet.simulation import SimulationSettings, simulate
from slicenet.watch import Watch

FADING = 0.95  # of the running overlap, a step
CYCLED = ("lr", "betas")  # what the schedule changes in the optimiser
SCHEDULED = ("last_epoch", "_step_count", "_last_lr")


@dataclass(frozen=True)
class SegmentationSettings:
    """Settings of `segment`."""

    steps: int = 360
    batch: int = 10  # slices of a step, all of one plane
    rate: float = 4e-4  # of the backbone, at the top of its one cycle
    decoder_rate: float = 2e-3
    decay: float = 1e-4
    clip: float = 1.0  # longest gradient
    overlap: float = 0.5  # weight of the soft Dice beside the cross-entropy
    margin: int = 16  # pixels around the brain that are looked at
    settle: int = 20  # batches whose moments the batch norms keep
    simulation: SimulationSettings = SimulationSettings()

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2 or self.margin < 0 or self.settle < 0:
            raise ConfigError(
                "steps count from 1, batch from 2, margin and settle from 0", "E_SETTING"
            )
        if min(self.rate, self.decoder_rate, self.clip) <= 0 or min(self.decay, self.overlap) < 0:
            raise ConfigError(
                "rates and clip must be positive, decay and overlap not negative", "E_SETTING"
            )


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """What one step learns from."""

    pictures: Tensor  # [S, 3, H, W] in 0 to 1
    truth: Tensor  # [S, H, W] in 0 to 1
    brain: Tensor  # [S, H, W] in 0 to 1


@final
class Course:
    """All that changes while it learns: with it, the next step follows from (seed, step)."""

    def __init__(
        self, backbone: Backbone, decoder: Decoder, settings: SegmentationSettings
    ) -> None:
        self.step = 0
        self.overlap = 0.0  # running Dice with the simulated truth
        self.networks = nn.ModuleList((backbone.network, decoder))
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(backbone.network.parameters()), "lr": settings.rate},
                {"params": list(decoder.parameters()), "lr": settings.decoder_rate},
            ],
            weight_decay=settings.decay,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, [settings.rate, settings.decoder_rate], total_steps=settings.steps + 1
        )

    def learn(self, loss: Tensor, settings: SegmentationSettings) -> None:
        """One step down the gradient; a loss that is no number ends it all."""
        if not torch.isfinite(loss):
            raise ConfigError(
                f"finetune: the loss is {loss.item()} at step {self.step + 1} of {settings.steps}",
                "E_DIVERGED", "lower the rate and the decoder_rate of segmentation",
            )  # fmt: skip
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), settings.clip)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1

    def state(self) -> State:
        """All of it, for a savepoint."""
        groups = [{key: group[key] for key in CYCLED} for group in self.optimiser.param_groups]
        schedule = {key: vars(self.schedule)[key] for key in SCHEDULED}
        return packed(self.networks, self.optimiser), {
            "step": self.step, "overlap": self.overlap, "groups": groups, "schedule": schedule,
        }  # fmt: skip

    def resume(self, state: State) -> None:
        """Go on from what `state` has told."""
        tensors, values = state
        self.step, self.overlap = values["step"], values["overlap"]
        unpack(tensors, self.networks, self.optimiser)
        for group, cycled in zip(self.optimiser.param_groups, values["groups"], strict=True):
            group.update(cycled)
        self.schedule.load_state_dict(values["schedule"])

    def remember(self, overlap: float) -> None:
        """Let the Dice of the last step into the running one, a mean at first."""
        fading = min(FADING, 1 - 1 / self.step)
        self.overlap = fading * self.overlap + (1 - fading) * overlap


@final
@dataclass(frozen=True, eq=False)
class Lessons:
    """Slices with simulated lesions, which follow from (seed, step)."""

    pools: Sequence[SlicePool]
    picture: PictureSettings
    settings: SegmentationSettings
    unit: int  # pixels of the backbone's coarsest cell
    seed: int

    def batch(self, step: int) -> Batch:
        """Slices of one plane, cut to their brain in whole cells."""
        generator = drawing(self.seed, step)
        pool = self.pools[step % len(self.pools)]  # planes in turn
        drawn = pool.draw(self.settings.batch, generator)
        drawn = drawn.turned(torch.rand(len(drawn), generator=generator) < 0.5 * pool.mirrors)
        voxels, truth = simulate(
            drawn.voxels, drawn.brain, pool.spacing, self.settings.simulation, generator
        )
        pictures = replace(drawn, voxels=voxels).pictures(self.picture)
        cover = pool.cover(drawn.brain)
        crop = around((cover > 0).any(0), self.settings.margin, self.unit)
        both = crop.cut(torch.stack((pool.cover(truth), cover), 1), 0.0)
        return Batch(crop.cut(pictures, self.picture.outside), both[:, 0], both[:, 1])


def segment(
    backbone: Backbone,
    decoder: Decoder,
    pools: Sequence[SlicePool],
    picture: PictureSettings,
    settings: SegmentationSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train both in place on slices of `pools`; afterwards they are in inference mode."""
    lessons = Lessons(pools, picture, settings, backbone.strides[-1], seed)
    fresh = settings.steps  # batches that no step sees
    known = savepoint.load()
    if known is None:
        backbone.anchor(lessons.batch(fresh + more).pictures for more in range(ENOUGH))
    course = Course(backbone, decoder, settings)
    if known is not None:
        course.resume(known)
    course.networks.train()
    device = next(decoder.parameters()).device
    with stopping.deferred():
        while course.step < settings.steps:
            batch = lessons.batch(course.step)
            truth, brain = batch.truth.to(device), batch.brain.to(device)
            logit = found(backbone, decoder, batch.pictures.to(device))
            loss = compare(logit, truth, brain, settings.overlap)
            course.learn(loss, settings)
            course.remember(hard_overlap(logit.detach(), truth, brain))
            watch("finetune", course.step, settings.steps, loss=loss.item(), dice=course.overlap)
            savepoint.offer(course.state)
    settle(
        course.networks,
        lambda more: decoder(backbone(lessons.batch(fresh + more).pictures.to(device))),
        settings.settle,
    )
    course.networks.eval()


def found(backbone: Backbone, decoder: Decoder, pictures: Tensor) -> Tensor:
    """The logit of each pixel of pictures [S, 3, H, W], [S, H, W] float32.

    Brought to the pixels, so that soft edges can tell where in a cell a lesion ends.
    """
    _, logit = decoder(backbone(pictures))
    return F.interpolate(logit.float(), pictures.shape[2:], mode="bilinear")[:, 0]


def compare(logit: Tensor, truth: Tensor, brain: Tensor, overlap: float) -> Tensor:
    """Cross-entropy over the brain, and `overlap` times one less the soft Dice of the batch.

    All are [S, H, W]; truth and brain are in 0 to 1.
    """
    entropy = F.binary_cross_entropy_with_logits(logit, truth, reduction="none")
    entropy = (entropy * brain).sum() / brain.sum().clamp(min=1)
    share, truth = logit.sigmoid() * brain, truth * brain
    # One pixel more on either side: without it, a batch of healthy slices would divide by 0.
    dice = (2 * (share * truth).sum() + 1) / (share.sum() + truth.sum() + 1)
    return entropy + overlap * (1 - dice)


def hard_overlap(logit: Tensor, truth: Tensor, brain: Tensor) -> float:
    """Dice of what is more likely lesion than not, 1 where there is none on either side."""
    found, wanted = (logit > 0) & (brain > 0.5), (truth > 0.5) & (brain > 0.5)
    total = int(found.sum() + wanted.sum())
    return 2 * int((found & wanted).sum()) / total if total else 1.0
