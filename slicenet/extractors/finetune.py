"""How a backbone learns from healthy MRI before it is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone
from slicenet.extractors.contrast import ContrastSettings, contrast
from slicenet.extractors.decoder import Decoder, DecoderSettings
from slicenet.extractors.joint import JointSettings, joint
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.picture_folder import PictureFolderSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.segmentation import SegmentationSettings, segment
from slicenet.extractors.slice_pool import SlicePool
from slicenet.savepoint import Savepoint
from slicenet.watch import Watch

METHODS = ("none", "edc", "joint", "lesions")
DECODING = "lesions"  # the method that leaves a decoder


@dataclass(frozen=True)
class FinetuneSettings:
    """Settings of `finetune`."""

    method: str = "lesions"  # simulated ones; or edc, joint, none
    each: int = 32  # slices of a volume and plane that are held in memory
    decoder: DecoderSettings = DecoderSettings()
    lesions: SegmentationSettings = SegmentationSettings()
    edc: ContrastSettings = ContrastSettings()
    joint: JointSettings = JointSettings()
    folder: PictureFolderSettings = PictureFolderSettings()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(
                f"finetune.method: have {', '.join(sorted(METHODS))}; got {self.method!r}",
                "E_SETTING",
            )
        if self.each < 1:
            raise ConfigError("finetune.each: expected slices, from 1", "E_SETTING")


def finetune(
    backbone: Backbone,
    decoder: Decoder | None,
    pools: Sequence[SlicePool],
    picture: PictureSettings,
    neighbourhood: NeighbourhoodSettings,
    settings: FinetuneSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train in place by the method of the settings; afterwards both infer and are frozen."""
    check_decoder(decoder, settings.method)
    networks = (backbone, decoder) if decoder is not None else (backbone,)
    for network in networks:
        network.requires_grad_(True)
    try:
        match settings.method:
            case "edc":
                contrast(backbone, pools, picture, settings.edc, seed, watch, savepoint)
            case "joint":
                joint(
                    backbone, pools, picture, neighbourhood, settings.joint, seed, watch, savepoint
                )
            case "lesions":
                assert decoder is not None, "checked above"
                segment(backbone, decoder, pools, picture, settings.lesions, seed, watch, savepoint)
    finally:
        for network in networks:
            network.eval().requires_grad_(False)


def check_decoder(decoder: Decoder | None, method: str) -> None:
    """Refuse a decoder that would not fit the backbone any more, and the lack of one to train."""
    if decoder is None and method == DECODING:
        raise ConfigError("finetune.method: lesions needs a decoder to train", "E_SETTING")
    if decoder is not None and method not in ("none", DECODING):
        raise ConfigError(
            f"finetune.method: {method} leaves no decoder, and one is to be read", "E_SETTING",
            f"--set slices.finetune.method={DECODING}",
        )  # fmt: skip
