"""Which side of healthy is strange: chosen by the user, never on truth."""

from torch import Tensor

from slicenet.errors import ConfigError

POLARITIES = ("both", "bright", "dark")


def check(polarity: str) -> None:
    """Refuse a polarity that does not exist."""
    if polarity not in POLARITIES:
        raise ConfigError(f"polarity: have {', '.join(POLARITIES)}; got {polarity!r}", "E_SETTING")


def strangeness(signed: Tensor, polarity: str) -> Tensor:
    """One score [N] from signed deviations [N, M] of M sequences."""
    if polarity == "both":
        return signed.square().mean(1).sqrt()
    return signed.mean(1) if polarity == "bright" else -signed.mean(1)
