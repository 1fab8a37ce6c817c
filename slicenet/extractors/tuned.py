"""A fine-tuned backbone as a weight file that says what taught it."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from safetensors.torch import save as serialize
from torch import Tensor

from slicenet.config import overlay
from slicenet.errors import CheckpointError, ConfigError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.decoder import Decoder, DecoderSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.pretrained import IMAGENET, RANDOM, find, original, resolve
from slicenet.files import digest, write_bytes
from slicenet.weights.reading import ORIGIN, read_note

FORMAT = 1
PREFIX = "decoder."


@final
@dataclass(frozen=True)
class TunedOrigin:
    """What a weight file of `slicenet finetune` says of itself."""

    backbone: BackboneSettings = BackboneSettings()
    decoder: DecoderSettings = DecoderSettings()
    decodes: bool = False  # whether the file holds a decoder
    method: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)  # tables by name, to be read by eye
    files: tuple[str, ...] = ()  # SHA-256 of every image file that taught it
    seed: int = 0
    synthetic: bool = False  # taught by phantoms only
    versions: Mapping[str, str] = field(default_factory=dict)


def write_tuned(
    path: Path, backbone: Backbone, decoder: Decoder | None, origin: TunedOrigin
) -> str:
    """Write both under timm's names and `decoder.…`, whole or not at all; the file's SHA-256."""
    tensors = {original(name): one for name, one in backbone.network.state_dict().items()}
    if decoder is not None:
        tensors |= {f"{PREFIX}{name}": one for name, one in decoder.state_dict().items()}
    copies = {name: tensor.cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_bytes(path, serialize(copies, {ORIGIN: _text(origin, decoder)}))
    return digest(path)


def read_origin(path: Path) -> TunedOrigin | None:
    """What the file says of itself; nothing if it is not one of `slicenet finetune`."""
    text = read_note(path, ORIGIN)
    return _parse(text, path) if text else None


def origin_of(weights: str, backbone: str) -> TunedOrigin | None:
    """The same for weights as the settings of a backbone name them."""
    return None if weights == RANDOM else read_origin(resolve(weights, backbone))


def check_origin(wanted: BackboneSettings, picture: PictureSettings) -> None:
    """Refuse weights that say they were tuned as another backbone, or for other pictures."""
    origin = origin_of(wanted.weights, wanted.name)
    if origin is None:
        return
    taught = origin.backbone
    if (taught.name, taught.expected) != (wanted.name, wanted.expected):
        raise CheckpointError(
            f"{wanted.weights}: tuned as {taught.name} with {taught.expected}", "E_WEIGHTS",
            "set slices.backbone.name and slices.backbone.expected to these",
        )  # fmt: skip
    shown = origin.settings.get("picture", {})
    for name, value in dataclasses.asdict(picture).items():
        if shown.get(name, value) != value:
            raise CheckpointError(
                f"{wanted.weights}: tuned for pictures with {name}={shown[name]}", "E_WEIGHTS",
                f"--set slices.picture.{name}={json.dumps(shown[name])}",
            )  # fmt: skip


def bring_decoder(decoder: Decoder, weights: str, needed: bool) -> None:
    """Load the decoder that came with a backbone, if there is one; its lack is told if `needed`."""
    tensors = {} if weights in (RANDOM, IMAGENET) else find(weights, "")
    state = {
        name.removeprefix(PREFIX): tensor
        for name, tensor in tensors.items()
        if name.startswith(PREFIX)
    }
    own = decoder.state_dict()
    if _shapes(state) == _shapes(own):
        decoder.load_state_dict(state)
    elif needed:
        lack = "holds a decoder of other settings" if state else "holds no decoder"
        raise CheckpointError(
            f"{weights}: {lack}", "E_WEIGHTS",
            "weights of `slicenet finetune --method lesions` with the same settings hold one",
        )  # fmt: skip


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in tensors.items()}


def _parse(text: str, path: Path) -> TunedOrigin:
    try:
        table = json.loads(text)
        written = table.pop("format")
        if written > FORMAT:
            raise CheckpointError(
                f"{path}: format {written}, this slicenet reads up to {FORMAT}", "E_FORMAT",
                "install a later slicenet-mri",
            )  # fmt: skip
        plain = {name: table.pop(name) for name in ("settings", "versions")}
        return overlay(TunedOrigin(files=("",), **plain), table)
    except (ConfigError, AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"{path}: does not say what taught it ({error})"
        raise CheckpointError(message, "E_WEIGHTS", "fine-tune again") from error


def _text(origin: TunedOrigin, decoder: Decoder | None) -> str:
    """The one entry of the header; several would be written in no fixed order."""
    # A name at most: the place where weights lay is nobody's business.
    weights = Path(origin.backbone.weights).name
    backbone = dataclasses.replace(origin.backbone, weights=weights)
    whole = dataclasses.replace(origin, backbone=backbone, decodes=decoder is not None)
    return json.dumps({"format": FORMAT, **dataclasses.asdict(whole)}, sort_keys=True)
