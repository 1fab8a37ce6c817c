"""Coupling by rational-quadratic splines (Durkan et al., 2019), as a block of FrEIA.

Between its ends a channel is bent by a rising curve of several bins, beyond them it stays as it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from FrEIA.modules import InvertibleModule
from torch import Tensor, nn

NARROWEST = 1e-3  # share of the whole that a bin keeps, along either axis
FLATTEST = 1e-3  # slope
UNIT = float(np.log(np.expm1(1 - FLATTEST)))  # what softplus takes to a slope of 1


@final
@dataclass(frozen=True, eq=False)
class Spline:
    """Rising curves from -reach to reach, one for each of N vectors and C channels."""

    across: Tensor  # [N, C, bins + 1], where bins begin and end
    up: Tensor  # [N, C, bins + 1], what these are taken to
    slopes: Tensor  # [N, C, bins + 1], there; 1 at both ends
    reach: float

    @staticmethod
    def of(free: Tensor, reach: float) -> "Spline":
        """Splines of any numbers [N, C, 3 * bins - 1]; zeros give the straight line."""
        bins = (free.shape[-1] + 1) // 3
        widths, heights, slopes = free.split((bins, bins, bins - 1), -1)
        inner = FLATTEST + F.softplus(slopes + UNIT)
        return Spline(
            _knots(widths, reach), _knots(heights, reach), F.pad(inner, (1, 1), value=1.0), reach
        )

    def bend(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Where values [N, C] are taken to, and the logarithm of the slope there, both [N, C]."""
        inside = values.abs() < self.reach
        held = values.clamp(-self.reach, self.reach)
        left, width, bottom, height, first, last = self._bin(self.across, held)
        part, mean = ((held - left) / width).clamp(0, 1), height / width
        bowed = part * (1 - part)
        below = mean + (first + last - 2 * mean) * bowed
        bent = bottom + height * (mean * part.square() + first * bowed) / below
        slope = _slope(part, mean, first, last) / below.square()
        return torch.where(inside, bent, values), torch.where(inside, slope.log(), 0.0)

    def straighten(self, bent: Tensor) -> tuple[Tensor, Tensor]:
        """What was bent to [N, C], and the logarithm of the slope of that way, both [N, C]."""
        inside = bent.abs() < self.reach
        held = bent.clamp(-self.reach, self.reach)
        left, width, bottom, height, first, last = self._bin(self.up, held)
        above, mean = held - bottom, height / width
        tilt = above * (first + last - 2 * mean)
        a, b, c = height * (mean - first) + tilt, height * first - tilt, -mean * above
        root = (b.square() - 4 * a * c).clamp(min=0).sqrt()
        # The root within the bin, in the form whose terms have one sign and so lose no digits.
        rising, falling = b >= 0, torch.where(b >= 0, 1.0, 2 * a)
        part = torch.where(
            rising, -2 * c / torch.where(rising, b + root, 1.0), (root - b) / falling
        )
        part = part.clamp(0, 1)
        below = mean + (first + last - 2 * mean) * part * (1 - part)
        slope = _slope(part, mean, first, last) / below.square()
        values = left + part * width
        return torch.where(inside, values, bent), torch.where(inside, -slope.log(), 0.0)

    def _bin(self, edges: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        """Left edge, width, lower edge, height and both slopes of the bin of each value."""
        found = torch.searchsorted(
            *(part.detach().contiguous() for part in (edges, values[..., None]))
        )
        at = (found - 1).clamp(0, edges.shape[-1] - 2)
        left, right = (self.across.gather(-1, at + end)[..., 0] for end in (0, 1))
        bottom, top = (self.up.gather(-1, at + end)[..., 0] for end in (0, 1))
        first, last = (self.slopes.gather(-1, at + end)[..., 0] for end in (0, 1))
        return left, right - left, bottom, top - bottom, first, last


@final
class SplineBlock(InvertibleModule):  # type: ignore[misc]
    """The first channels steer how the others are bent; then all are scaled, moved and turned."""

    w_perm: Tensor  # [C, C], named as in FrEIA's own block
    w_perm_inv: Tensor

    def __init__(
        self,
        dims_in: Sequence[Sequence[int]],
        dims_c: Sequence[Sequence[int]] = (),
        *,
        subnet_constructor: Callable[[int, int], nn.Module],
        bins: int,
        reach: float,
    ) -> None:
        super().__init__(dims_in, dims_c)
        channels = dims_in[0][0]
        self.passive, self.reach = channels - channels // 2, reach
        steering = self.passive + sum(shape[0] for shape in dims_c)
        subnet: Any = subnet_constructor(steering, (channels // 2) * (3 * bins - 1))
        nn.init.zeros_(subnet[-1].weight)  # it begins as a straight line
        nn.init.zeros_(subnet[-1].bias)
        self.subnet = subnet
        self.global_scale = nn.Parameter(torch.zeros(1, channels))  # logarithm
        self.global_offset = nn.Parameter(torch.zeros(1, channels))
        for name in ("w_perm", "w_perm_inv"):
            self.register_buffer(name, torch.eye(channels), persistent=False)

    def forward(
        self, x: Iterable[Tensor], c: Iterable[Tensor] = (), rev: bool = False, jac: bool = True
    ) -> tuple[tuple[Tensor], Tensor]:
        """Vectors [N, C] and the log determinant [N], which costs nothing beside them."""
        (vectors,) = x
        growth = self.global_scale.sum()
        if rev:
            vectors = (vectors @ self.w_perm_inv.T - self.global_offset) * (
                -self.global_scale
            ).exp()
            moved, log_slope = self._couple(vectors, tuple(c), rev)
            return (moved,), log_slope - growth
        moved, log_slope = self._couple(vectors, tuple(c), rev)
        moved = moved * self.global_scale.exp() + self.global_offset
        return (moved @ self.w_perm.T,), log_slope + growth

    def output_dims(self, input_dims: Any) -> Any:
        """As many channels as come in."""
        return input_dims

    def _couple(
        self, vectors: Tensor, told: tuple[Tensor, ...], rev: bool
    ) -> tuple[Tensor, Tensor]:
        passive, active = vectors[:, : self.passive], vectors[:, self.passive :]
        free = self.subnet(torch.cat((passive, *told), 1)).unflatten(1, (active.shape[1], -1))
        spline = Spline.of(free, self.reach)
        moved, log_slope = spline.straighten(active) if rev else spline.bend(active)
        return torch.cat((passive, moved), 1), log_slope.sum(1)


def _knots(shares: Tensor, reach: float) -> Tensor:
    """Rising from exactly -reach to exactly reach, [N, C, bins + 1]."""
    bins = shares.shape[-1]
    sizes = NARROWEST + (1 - NARROWEST * bins) * shares.softmax(-1)
    inner = 2 * reach * sizes.cumsum(-1)[..., :-1] - reach
    ends = torch.full_like(shares[..., :1], reach)
    return torch.cat((-ends, inner, ends), -1)


def _slope(part: Tensor, mean: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """What a bin's slope has above the line."""
    rest = 1 - part
    bowed = last * part.square() + 2 * mean * part * rest + first * rest.square()
    return mean.square() * bowed
