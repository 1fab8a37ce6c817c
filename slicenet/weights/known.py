"""The weights that slicenet knows by name."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class KnownWeights:
    """Weights under timm's name, in the file that torchvision publishes."""

    name: str
    file: str  # the eight digits at its end are the first of the SHA-256 of its bytes
    licence: str = "BSD-3-Clause (torchvision; trained on ImageNet-1k)"

    @property
    def url(self) -> str:
        """Where the file is published."""
        return f"https://download.pytorch.org/models/{self.file}"

    @property
    def sha256(self) -> str:
        """How the SHA-256 of the file begins."""
        return self.file.removesuffix(".pth").rpartition("-")[2]


KNOWN = {
    weights.name: weights
    for weights in (
        KnownWeights("resnet18.tv_in1k", "resnet18-f37072fd.pth"),
        KnownWeights("resnet50.tv_in1k", "resnet50-0676ba61.pth"),
        KnownWeights("wide_resnet50_2.tv_in1k", "wide_resnet50_2-95faca4d.pth"),
    )
}


def by_digest(sha256: str) -> KnownWeights | None:
    """The known weights whose file has this hash, whatever it is called now."""
    return next((one for one in KNOWN.values() if sha256.startswith(one.sha256)), None)


def by_file(name: str) -> KnownWeights | None:
    """The known weights that are published under this file name."""
    return next((one for one in KNOWN.values() if one.file == name), None)
