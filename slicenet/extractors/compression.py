"""A vector in a few numbers and how much that loses, under a mixture: DAGMM (Zong et al., 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.extractors.doubles import wide
from slicenet.flows.mixtures import Mixture, Sums

RESIDUALS = ("relative", "euclidean", "cosine")
# Of the root mean square of healthy vectors. One nearer to their mean has hardly a direction, and
# would be far from any copy in lengths of its own.
SHORT = 0.1
COLUMNS = 16  # that are doubled at once, so that many vectors are not held twice over
LEAST = 0.01  # of the mean spread of channels, of one that hardly ever changes


@dataclass(frozen=True)
class CompressionSettings:
    """Settings of `Compression`."""

    hidden: tuple[int, ...] = (60, 30, 10)  # channels from the vector to its code, and back
    code: int = 4  # channels of the code; 1 as published
    # Beside the code. As published, the distance is relative, at which a bright lesion that cannot
    # be rebuilt is no farther off than the noise of a dull patch.
    residuals: tuple[str, ...] = ("euclidean", "cosine")
    estimate: int = 10  # hidden channels of the net that tells memberships
    drop: float = 0.5  # share of these that a step leaves out
    components: int = 4  # of the mixture
    ridge: float = 1e-4  # added to every variance

    def __post_init__(self) -> None:
        if min(self.code, self.estimate, self.components, *self.hidden) < 1:
            raise ConfigError("hidden, code, estimate and components count from 1", "E_SETTING")
        if not 0 <= self.drop < 1 or self.ridge <= 0:
            raise ConfigError("drop: expected 0 to below 1; ridge must be positive", "E_SETTING")
        if not set(self.residuals) <= set(RESIDUALS):
            have = ", ".join(RESIDUALS)
            raise ConfigError(f"residuals: have {have}; got {self.residuals}", "E_SETTING")

    @property
    def latents(self) -> int:
        """Channels of a code with its residuals."""
        return self.code + len(self.residuals)


@final
class Compression(nn.Module):
    """Compression net, estimation net, and the mixture that both lead to once they have learnt.

    The mixture is a part of the model: published code takes it anew from whatever batch is tested,
    so that a score depends on what else is in it.
    """

    mean: Tensor  # [C] of healthy vectors
    spread: Tensor  # [C]
    # [K, 1 + D + D * D] int64, of each component weight, mean and factor: the bits of doubles, for
    # mps holds none, and a model in half precision would round them.
    frozen: Tensor

    def __init__(self, channels: int, settings: CompressionSettings) -> None:
        super().__init__()
        self.settings = settings
        widths = (channels, *settings.hidden, settings.code)
        self.encoder, self.decoder = _layers(widths), _layers(widths[::-1])
        self.estimator = _layers((settings.latents, settings.estimate, settings.components))
        k, d = settings.components, settings.latents
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("spread", torch.ones(channels))
        self.register_buffer("frozen", torch.zeros(k, 1 + d + d * d, dtype=torch.int64))

    def meet(self, vectors: Tensor) -> None:
        """Take the scale of healthy vectors [N, C]."""
        found = [_moments(wide(part)) for part in vectors.split(COLUMNS, 1)]
        mean, spread = torch.cat(found, 1)
        least = LEAST * float(spread.square().mean().sqrt())
        self.mean.copy_(mean.float())
        self.spread.copy_(spread.clamp(min=max(least, 1e-6)).float())

    def standard(self, vectors: Tensor) -> Tensor:
        """Vectors around the healthy mean, in healthy spreads of each channel, [N, C]."""
        return (vectors.to(self.mean) - self.mean) / self.spread

    def forward(self, standard: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised vectors [N, C] rebuilt, and their latents [N, D]: code and residuals."""
        code = self.encoder(standard)
        rebuilt = self.decoder(code)
        return rebuilt, torch.cat((code, self._residuals(standard, rebuilt)), 1)

    def memberships(self, latents: Tensor, kept: Tensor | None = None) -> Tensor:
        """Share of each component in each latent, [N, K]; `kept` [N, hidden] is drop-out's mask."""
        hidden = self.estimator[1](self.estimator[0](latents))
        if kept is not None:
            hidden = hidden * kept / (1 - self.settings.drop)
        return self.estimator[2](hidden).softmax(1)

    def freeze(self, sums: Sums) -> None:
        """From now on, energies are those under the mixture with these moments."""
        found = sums.mixture(self.settings.ridge)
        rows = torch.cat((found.weights[:, None], found.means, found.factors.flatten(1)), 1)
        self.frozen.copy_(rows.cpu().view(torch.int64))

    def mixture(self) -> Mixture:
        """The frozen one, in double precision where that can be."""
        rows = self.frozen.cpu().view(torch.float64)
        if self.frozen.device.type != "mps":
            rows = rows.to(self.frozen.device)
        d = self.settings.latents
        weights, means, factors = rows.split((1, d, d * d), 1)
        return Mixture(weights[:, 0], means, factors.unflatten(1, (d, d)), rows.new_zeros(0))

    def energy(self, latents: Tensor) -> Tensor:
        """Minus the log density of latents [N, D] under the frozen mixture, [N]."""
        return -self.mixture().log_density(wide(latents))

    def _residuals(self, standard: Tensor, rebuilt: Tensor) -> Tensor:
        """How far and in which direction the rebuilt vectors are off, [N, residuals]."""
        shortest = SHORT * standard.shape[1] ** 0.5
        apart = torch.linalg.vector_norm(standard - rebuilt, dim=1)
        long = torch.linalg.vector_norm(standard, dim=1).clamp(min=shortest)
        twin = torch.linalg.vector_norm(rebuilt, dim=1).clamp(min=shortest)
        known = {
            "relative": apart / long,
            "euclidean": apart / standard.shape[1] ** 0.5,
            "cosine": (standard * rebuilt).sum(1) / (long * twin),
        }
        found = [known[name] for name in self.settings.residuals]
        return torch.stack(found, 1) if found else standard[:, :0]


def loss(
    standard: Tensor,
    rebuilt: Tensor,
    latents: Tensor,
    memberships: Tensor,
    shares: tuple[float, float],
    ridge: float,
) -> Tensor:
    """Error, energy and the penalty on variances that vanish, the last two by their `shares`.

    The mixture is that of the batch, and its log determinants are part of what is learnt from,
    which they are not in published code.
    """
    sums = moments(latents, memberships)
    energy = -sums.mixture(ridge).log_density(wide(latents)).mean()
    variances = sums.covariances().diagonal(dim1=1, dim2=2) + ridge
    error = (standard - rebuilt).square().sum(1).mean()
    return wide(error) + shares[0] * energy + shares[1] * (1 / variances).sum()


def moments(latents: Tensor, memberships: Tensor) -> Sums:
    """Of latents [N, D] and their memberships [N, K], where there are doubles."""
    return Sums.of(wide(latents), wide(memberships))


def _moments(columns: Tensor) -> Tensor:
    """Mean and deviation of each column, [2, C]."""
    return torch.stack((columns.mean(0), columns.std(0, correction=0)))


def _layers(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with a hyperbolic tangent between two of them."""
    found: list[nn.Module] = []
    for before, after in pairwise(widths):
        found += [nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*found[:-1])
