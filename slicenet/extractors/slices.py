"""Slices through an image network, merged along depth: the features of SimpleSliceNet.

Its own answer to simulated lesions, if it was fine-tuned on them, is one more channel.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.decoder import fresh_decoder
from slicenet.extractors.depth import LEARNT, DepthSettings, merge, slabs
from slicenet.extractors.finetune import DECODING, FinetuneSettings, check_decoder, finetune
from slicenet.extractors.lattice import check_whole, touching
from slicenet.extractors.neighbourhood import NeighbourhoodSettings, groups
from slicenet.extractors.pictures import COLOURS, PictureSettings, check_sequences, stretched
from slicenet.extractors.planes import AXES, View, ranks, resample, view
from slicenet.extractors.pretrained import fingerprint
from slicenet.extractors.reading import check_parts, intensities, is_decoded, read
from slicenet.extractors.slice_pool import gather
from slicenet.extractors.tuned import bring_decoder, check_origin, origin_of
from slicenet.extractors.usual import Usual
from slicenet.features import Extractor, FeatureMap
from slicenet.halving import in_halves
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

PLANES = {"axial": ("axial",), "joined": tuple(AXES), "averaged": tuple(AXES)}


@dataclass(frozen=True)
class SliceSettings:
    """Settings of `SliceExtractor`."""

    backbone: BackboneSettings = BackboneSettings()
    picture: PictureSettings = PictureSettings()
    neighbourhood: NeighbourhoodSettings = NeighbourhoodSettings()
    depth: DepthSettings = DepthSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    # What becomes of a slice: features of the backbone's taps, of the decoder that fine-tuning by
    # lesions leaves, or the decoder's answer. The last two have the decoder's finer lattice.
    read: tuple[str, ...] = ("encoder",)
    # Cells for one of the network, along rows and along columns. Between its own its answers are
    # interpolated, which is how a decoder learns; intensities are those of the smaller cells.
    finer: int = 1
    planes: str = "axial"  # or all three, their channels joined or averaged
    least: float = 0.5  # share of a cell that must be brain
    # A crop's rim is not what it was in the whole slice. ResNet-18 on real T1 correlates with whole
    # slices at 0.985 with a margin of 0, 0.991 with 8, 0.9999 with 16 and 0.999997 with 24.
    margin: int = 24  # pixels around the brain that the backbone sees
    batch: int = 8  # slices at a time

    def __post_init__(self) -> None:
        if self.planes not in PLANES:
            raise ConfigError(
                f"planes: have {', '.join(sorted(PLANES))}; got {self.planes!r}", "E_SETTING"
            )
        check_parts(self.read, self.depth.merge)
        if self.depth.merge == LEARNT and not self.decodes:
            raise ConfigError("depth.merge: learnt needs what fine-tuning leaves", "E_SETTING")
        if not 0 < self.least <= 1 or self.margin < 0 or min(self.batch, self.finer) < 1:
            raise ConfigError(
                "least must be within 0 to 1, margin not negative, batch and finer positive",
                "E_SETTING",
            )

    @property
    def decodes(self) -> bool:
        """Whether a decoder is trained or read."""
        return self.finetune.method == DECODING or is_decoded(self.read)


@final
class SliceExtractor(Extractor):
    """One vector for each cell of stride x stride pixels and a few slices that holds brain.

    Slices without brain take no part. Slabs are streamed, so memory does not grow with the slices
    but for the vectors themselves.
    """

    settings: SliceSettings
    usual: Tensor  # [2, X, Y, Z] float16, mean and deviation of healthy voxels, if pictures show it

    def __init__(self, settings: SliceSettings) -> None:
        super().__init__()
        self.settings = settings
        tuning = settings.finetune
        self.learns = tuning.method != "none"
        self.answers = int("logit" in settings.read)
        self.single = settings.read == ("logit",) and settings.planes != "joined"
        self.seed = torch.initial_seed()
        finest = min(tuning.decoder.finest, settings.backbone.taps[0])
        self.backbone = Backbone(settings.backbone, finest if settings.decodes else None)
        channels = self.backbone.channels
        self.decoder = fresh_decoder(channels, tuning.decoder) if settings.decodes else None
        tapped = [channels[tap] for tap in self.backbone.tapped]
        self.register_buffer("usual", torch.empty(0, dtype=torch.half))
        self.register_load_state_dict_pre_hook(_grow)
        groups(tapped, settings.neighbourhood)  # says so now if it cannot be
        check_decoder(self.decoder, tuning.method)
        if self.stride * settings.finer != self._coarse:
            message = f"finer: cells of {self._coarse} pixels do not part into {settings.finer}"
            raise ConfigError(message, "E_SETTING")
        self.notices = self.backbone.notices(self.learns)

    @property
    def stride(self) -> int:
        """Pixels a cell."""
        return self._coarse // self.settings.finer

    @property
    def _coarse(self) -> int:
        """Pixels a cell of the finest layer that is read."""
        finest = 0 if is_decoded(self.settings.read) else self.backbone.tapped[0]
        return self.backbone.strides[finest]

    def lessons(self) -> str:
        """What is read of slices, and how they and planes merge, changes nothing of this."""
        settings = self.settings
        brought = fingerprint(settings.backbone.weights, settings.backbone.name)
        seen = settings.backbone, settings.picture, settings.neighbourhood, settings.finetune
        return f"{self.seed} {brought} {seen!r} {PLANES[settings.planes]}"

    def learnt_from(self) -> tuple[str, ...]:
        """The files that taught the weights, where `slicenet finetune` has left them."""
        origin = origin_of(self.settings.backbone.weights, self.settings.backbone.name)
        return origin.files if origin else ()

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Bring the backbone's weights, and fine-tune them on slices of the healthy volumes."""
        check_origin(self.settings.backbone, self.settings.picture)
        self.backbone.bring_weights()
        if self.decoder is not None:
            bring_decoder(self.decoder, self.settings.backbone.weights, needed=not self.learns)
        watch("weights", 1, 1)
        first = next(iter(volumes))
        check_sequences(len(first.voxels), first.name)
        picture, usual = self.settings.picture, None
        if picture.usual and len(first.voxels) == 1:
            usual = Usual.of(stretched(volume, picture) for volume in volumes)
            self.usual = usual.maps().to(self.usual.device)
        if self.learns:
            tuning, planes = self.settings.finetune, PLANES[self.settings.planes]
            seen = (stretched(volume, picture) for volume in volumes)
            pools = gather(seen, planes, self.backbone.strides[-1], tuning.each, self.seed, usual)
            finetune(
                self.backbone, self.decoder, pools, picture,
                self.settings.neighbourhood, tuning, self.seed, watch, savepoint,
            )  # fmt: skip

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        """Features of the cells that hold brain; `volume` must be whole cells along each axis."""
        check_sequences(len(volume.voxels), volume.name)
        volume = stretched(volume, self.settings.picture)
        self.eval()  # whatever trained it last
        inside = touching(volume.brain, self._steps(volume), self.settings.least)
        planes = [self._through(volume, plane, inside) for plane in PLANES[self.settings.planes]]
        if self.settings.planes == "averaged":
            return FeatureMap(torch.stack(planes).mean(0), inside)
        return FeatureMap(planes[0] if len(planes) == 1 else torch.cat(planes, 1), inside)

    def _steps(self, volume: Volume) -> tuple[int, int, int]:
        """Voxels a cell along each axis."""
        stride = self.stride
        steps = (stride, stride, self.settings.depth.stride)
        check_whole(volume.brain.shape, steps)
        return steps

    def _through(self, volume: Volume, plane: str, inside: Tensor) -> Tensor:
        """Vectors [N, C] of the inside cells, seen in slices of one plane."""
        depth, stride = self.settings.depth, self.stride
        step = depth.stride if plane == "axial" else stride
        usual = self.usual.to(volume.voxels.device) if self.usual.numel() else None
        seen = view(volume, plane, stride, usual)
        cells = inside.permute(AXES[plane])  # [h, w, s]
        rows = ranks(inside).permute(AXES[plane])
        windows = _worth_seeing(slabs(seen.brain.shape[2], depth.kernel, step), seen, cells)
        found: Tensor | None = None
        for slab, slices in self._stream(seen, windows):
            layer = merge(slices, depth)
            if depth.merge == LEARNT and "logit" not in self.settings.read:
                layer = layer[:-1]  # it was there to be attended to
            layer = resample(layer[None], cells.shape[:2])[0]
            if found is None:
                found = layer.new_empty(int(inside.sum()), len(layer))
            held = cells[:, :, slab]
            found[rows[:, :, slab][held].to(layer.device)] = layer[:, held].T
        assert found is not None, "a volume has brain"
        return found

    def _stream(
        self, seen: View, windows: dict[int, Sequence[int]]
    ) -> Iterator[tuple[int, Tensor]]:
        """Each slab with the cells of its slices [k, C, h, w]; slices no longer needed go."""
        wanted = sorted({index for window in windows.values() for index in window})
        step = self.settings.batch
        batches = (wanted[at : at + step] for at in range(0, len(wanted), step))
        held: dict[int, Tensor] = {}
        for slab, window in windows.items():
            held = {index: cells for index, cells in held.items() if index >= window[0]}
            while window[-1] not in held:
                batch = next(batches)
                held.update(zip(batch, self._cells(seen, batch), strict=True))
            yield slab, torch.stack([held[index] for index in window])

    def _cells(self, seen: View, batch: list[int]) -> Tensor:
        """Slices of one view to cells, [S, C, h, w] float32."""
        settings, stride = self.settings, self.stride
        # A slab's cells lie where any of its slices has brain, those of other batches as well.
        reach = max(settings.depth.kernel, settings.depth.stride, stride)
        first, last = max(batch[0] - reach, 0), batch[-1] + reach
        crop = seen.crop(first, last, settings.margin, self.backbone.strides[-1])
        pictures = crop.cut(seen.pictures(batch, settings.picture), settings.picture.outside)
        parts = [torch.cat(layers) for layers in zip(*in_halves(self._look, pictures), strict=True)]
        if "intensity" in settings.read:
            shown = crop.cut(seen.shown(batch), 0.0)
            told = 2 if seen.usual is not None else min(len(seen.voxels), COLOURS)
            parts.insert(0, intensities(pictures[:, :told], shown, stride))
        cells = torch.cat([part.to(parts[-1].device) for part in parts], 1)
        return crop.spread(cells, stride, (seen.size[0] // stride, seen.size[1] // stride))

    def _look(self, pictures: Tensor) -> list[Tensor]:
        """What the network sees in pictures, each part [S, C, h, w]."""
        own, attends = self.settings, self.settings.depth.merge == LEARNT
        return read(self.backbone.look(pictures), self.backbone.tapped, self.decoder,
                    own.neighbourhood, own.read, attends, own.finer)  # fmt: skip


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, room for what is usual in its frame."""
    assert isinstance(module, SliceExtractor)
    module.usual = torch.zeros_like(state[f"{prefix}usual"], device=module.usual.device)


def _worth_seeing(windows: list[range], seen: View, cells: Tensor) -> dict[int, Sequence[int]]:
    """For each slab with inside cells, its slices that show brain, or all where none does."""
    shown = seen.brain.any(0).any(0).tolist()
    return {
        slab: [index for index in window if shown[index]] or list(window)
        for slab, window in enumerate(windows)
        if cells[:, :, slab].any()
    }
