"""A codebook that follows the latents given to it (van den Oord et al., 2017, with averages)."""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from slicenet.extractors.doubles import wide

LAPLACE = 1e-5  # vectors that each code has beside those it was given


@final
class Codebook(nn.Module):
    """K codes, the nearest of which stands for a latent; no gradient moves them."""

    codes: Tensor  # [K, C]

    def __init__(self, codes: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(codes, channels))

    def nearest(self, latents: Tensor) -> Tensor:
        """Index of the code nearest to each latent [..., C], [...] int64."""
        # Less the square of the latent, which is the same for all codes.
        return (self.codes.square().sum(1) - 2 * latents @ self.codes.T).argmin(-1)

    def of(self, tokens: Tensor) -> Tensor:
        """The code of each token [...], [..., C]."""
        return self.codes[tokens]

    def begin(self, latents: Tensor, draw: torch.Generator) -> None:
        """Take random ones of latents [N, C] for codes."""
        self.codes.copy_(_some(latents, len(self.codes), draw))


@final
class Upkeep:
    """Running sums by which codes are the means of what they stood for lately.

    Published as well, their decay is slower and slower at first; here it is that of a plain mean
    until it comes to the one of the settings, so that no code leans on where it began.
    """

    def __init__(self, codebook: Codebook, decay: float, least: float) -> None:
        """A code used less than `least` times as often as the mean is dead and begins anew."""
        self.codebook, self._decay, self._least = codebook, decay, least
        self._count = torch.zeros_like(codebook.codes[:, 0])
        self._total = torch.zeros_like(codebook.codes)
        self._steps = torch.zeros((), dtype=torch.int64)

    def follow(self, latents: Tensor, tokens: Tensor, draw: torch.Generator) -> int:
        """Move the codes to the means of latents [N, C] with these tokens [N]; how many died."""
        decay = min(self._decay, 1 - 1 / (int(self._steps) + 1))
        self._steps += 1
        codes = self.codebook.codes
        count = torch.bincount(tokens, minlength=len(codes)).to(codes)
        total = torch.zeros_like(codes).index_add_(0, tokens, latents)
        self._count.mul_(decay).add_(count, alpha=1 - decay)
        self._total.mul_(decay).add_(total, alpha=1 - decay)
        whole = self._count.sum()
        smooth = (self._count + LAPLACE) / (whole + len(codes) * LAPLACE) * whole
        used = self._count > 0
        codes[used] = self._total[used] / smooth[used, None]
        return self._revive(latents, draw)

    def state(self) -> dict[str, Tensor]:
        """All that the next step needs besides the codes, as it is now and will be."""
        return {"count": self._count, "total": self._total, "steps": self._steps}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` has told, if anything."""
        for name, held in state.items():
            self.state()[name].copy_(held)

    def _revive(self, latents: Tensor, draw: torch.Generator) -> int:
        """Give dead codes the place of random latents, and as long to live as the mean."""
        mean = self._count.mean()
        dead = self._count < self._least * mean
        found = int(dead.sum())
        if found:
            self.codebook.codes[dead] = _some(latents, found, draw)
            self._count[dead] = mean
            self._total[dead] = mean * self.codebook.codes[dead]
        return found


def straight_through(latents: Tensor, codes: Tensor) -> Tensor:
    """The codes, whose gradient reaches the latents as if they were these."""
    return latents + (codes - latents).detach()


def perplexity(tokens: Tensor, codes: int) -> float:
    """How many of `codes` equally frequent ones would be as hard to guess as tokens [N]."""
    shares = wide(torch.bincount(tokens.flatten(), minlength=codes)) / tokens.numel()
    return float(torch.special.entr(shares).sum().exp())


def _some(latents: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """`count` of latents [N, C], all different while there are enough."""
    rounds = -(-count // len(latents))
    order = [torch.randperm(len(latents), generator=draw) for _ in range(rounds)]
    return latents[torch.cat(order)[:count].to(latents.device)]
