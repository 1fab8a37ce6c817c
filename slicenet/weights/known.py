"""The weights that slicenet knows by name, and those of which timm says where they are."""

import re
from dataclasses import dataclass
from typing import final

from slicenet.timm_door import timm

PUBLISHED = "https://download.pytorch.org/models/"
HUB = "https://huggingface.co/{}/resolve/main/model.safetensors"
HASHED = re.compile(r"-([0-9a-f]{8})\.pth$")


@final
@dataclass(frozen=True)
class KnownWeights:
    """Weights under timm's name, in the file that was published."""

    name: str
    url: str  # eight digits at its end are the first of the SHA-256 of the file
    licence: str = "BSD-3-Clause (torchvision; trained on ImageNet-1k)"

    @property
    def file(self) -> str:
        """Its name."""
        return self.url.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """How the SHA-256 of the file begins; empty if its name does not tell."""
        found = HASHED.search(self.url)
        return found[1] if found else ""


KNOWN = {
    weights.name: weights
    for weights in (
        KnownWeights("resnet18.tv_in1k", f"{PUBLISHED}resnet18-f37072fd.pth"),
        KnownWeights("resnet50.tv_in1k", f"{PUBLISHED}resnet50-0676ba61.pth"),
        KnownWeights("wide_resnet50_2.tv_in1k", f"{PUBLISHED}wide_resnet50_2-95faca4d.pth"),
    )
}


def published(name: str) -> KnownWeights | None:
    """The weights of this name: a known one's, or those that timm would take for a backbone."""
    if name in KNOWN:
        return KNOWN[name]
    try:
        said = timm.models.get_pretrained_cfg(name)
    except RuntimeError:  # a backbone that it has, of weights that it has not
        return None
    if said is None or not (said.url or said.hf_hub_id):
        return None
    # An address that tells the hash goes first.
    hashed = isinstance(said.url, str) and HASHED.search(said.url)
    url = str(said.url) if hashed else HUB.format(said.hf_hub_id)
    return KnownWeights(name, url, said.license or "")


def by_digest(sha256: str) -> KnownWeights | None:
    """The known weights whose file has this hash, whatever it is called now."""
    return next((one for one in KNOWN.values() if sha256.startswith(one.sha256)), None)


def by_file(name: str) -> KnownWeights | None:
    """The known weights that are published under this file name."""
    return next((one for one in KNOWN.values() if one.file == name), None)
