"""How well a backbone learns to find simulated lesions, and how long that takes.

Subjects are split; the figures are of simulated lesions in slices of subjects that it has not
learnt from. They say nothing about lesions of another kind, let alone of patients.

    python benchmarks/lesion_finetuning.py ../shared/data/ixi-hh --weights FILE.safetensors
"""

import argparse
import time
from pathlib import Path

import click
import numpy as np
import torch
from sklearn.metrics import average_precision_score

from slicenet.cohort import Cohort, find_cohort
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.decoder import Decoder, DecoderSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.segmentation import Lessons, SegmentationSettings, found, segment
from slicenet.extractors.slice_pool import SlicePool, gather
from slicenet.frame import Frame, FrameSettings
from slicenet.watch import silent

BATCHES = 40  # of held-out slices
UNSEEN = 1_000_003  # seed of the lesions that are asked for at the end


def main() -> None:
    """Learn, telling the loss; then print AP and Dice on subjects held out."""
    asked = _asked()
    torch.set_num_threads(asked.threads)
    backbone, decoder = _networks(asked)
    settings = SegmentationSettings(
        steps=asked.steps, batch=asked.batch, rate=asked.rate, decoder_rate=asked.decoder_rate
    )
    cohort = find_cohort([asked.folder]).healthy()
    order = np.random.default_rng(asked.seed).permutation(len(cohort)).tolist()
    held, fitted = order[: asked.held], order[asked.held : asked.held + asked.subjects]
    stride = backbone.strides[-1]
    pools = _pools(cohort.select(fitted), asked, stride)
    others = _pools(cohort.select(held), asked, stride)
    unseen = Lessons(others, PictureSettings(), SegmentationSettings(), stride, UNSEEN)
    click.echo(f"{len(fitted)} subjects to learn from, {len(held)} held out")
    # Where others work on the same machine, only the CPU time says what it costs.
    started, worked = time.perf_counter(), time.process_time()

    def tell(stage: str, done: int, total: int, **values: float) -> None:
        if done % asked.every == 0 or done == total:
            shown = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
            seconds = time.perf_counter() - started
            click.echo(f"{stage} {done:5}/{total}  {shown}  {seconds:6.1f} s")

    segment(backbone, decoder, pools, PictureSettings(), settings, asked.seed, tell)
    wall, busy = time.perf_counter() - started, time.process_time() - worked
    click.echo(f"learnt in {wall:.1f} s, {busy:.1f} s of CPU time, on {asked.threads} threads")
    _report(backbone, decoder, unseen)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="healthy volumes")
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--weights", default="random", help="a file, or random")
    parser.add_argument("--taps", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--finest", type=int, default=1)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--spacing", type=float, default=1.5, help="mm, of the frame")
    parser.add_argument("--planes", nargs="+", default=["axial"])
    parser.add_argument("--subjects", type=int, default=48, help="to learn from, at most")
    parser.add_argument("--held", type=int, default=12, help="subjects held out")
    parser.add_argument("--each", type=int, default=24, help="slices a subject and plane")
    parser.add_argument("--steps", type=int, default=360)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--decoder-rate", type=float, default=2e-3)
    parser.add_argument("--every", type=int, default=60, help="steps between lines")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _networks(asked: argparse.Namespace) -> tuple[Backbone, Decoder]:
    torch.manual_seed(asked.seed)
    settings = BackboneSettings(asked.backbone, tuple(asked.taps), asked.weights)
    backbone = Backbone(settings, asked.finest)
    backbone.bring_weights()
    decoder = DecoderSettings(finest=asked.finest, width=asked.width)
    return backbone, Decoder(backbone.channels, decoder)


def _pools(cohort: Cohort, asked: argparse.Namespace, stride: int) -> list[SlicePool]:
    frame = Frame(FrameSettings(spacing=(asked.spacing,) * 3))
    frame.fit(cohort, silent)
    return gather(map(frame.enter, cohort), asked.planes, stride, asked.each, asked.seed)


@torch.inference_mode()
def _report(backbone: Backbone, decoder: Decoder, unseen: Lessons) -> None:
    """AP of all pixels, mean AP of slices that have lesions, and Dice at even odds."""
    scores, truths, each = [], [], []
    for step in range(BATCHES):
        batch = unseen.batch(step)
        logit = found(backbone, decoder, batch.pictures)
        for one, truth, brain in zip(logit, batch.truth, batch.brain > 0.5, strict=True):
            scores.append(one[brain].numpy())
            truths.append(truth[brain].numpy() > 0.5)
            if truths[-1].any():
                each.append(average_precision_score(truths[-1], scores[-1]))
    score, truth = np.concatenate(scores), np.concatenate(truths)
    hit = score > 0
    dice = 2 * (hit & truth).sum() / max(hit.sum() + truth.sum(), 1)
    click.echo(
        f"held out: AP {average_precision_score(truth, score):.3f} of all pixels "
        f"({truth.mean():.3f} lesion), {np.mean(each):.3f} a slice ({len(each)} with lesions), "
        f"Dice {dice:.3f}"
    )


if __name__ == "__main__":
    main()
