"""One-class machines as tensors: who bears each, and how it decides (Schoelkopf et al., 2001)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from sklearn.svm import OneClassSVM
from torch import Tensor

from slicenet.scorers.search import ROWS, squares

TOLERANCE = 1e-6  # of the solver; with 1e-3 the order of vectors shows in the third digit


@final
@dataclass(frozen=True, eq=False)
class Machines:
    """One machine, or several with the support vectors of each behind those of the one before."""

    support: Tensor  # [S, C] float32
    weight: Tensor  # [S] float32, dual coefficients
    gamma: Tensor  # [S] float32, of the kernel exp(-gamma d²) of the machine that each is from
    offset: Tensor  # [P] float32, intercept of each machine; [] of a single one
    count: Tensor  # [P] int64, support vectors of each machine; empty for a single one

    def mean(self) -> "Machines":
        """One that decides as these do on average: a mean of sums is one sum."""
        return Machines(
            self.support, self.weight / len(self.count), self.gamma, self.offset.mean(),
            self.count.new_empty(0),
        )  # fmt: skip

    def decide(self, vectors: Tensor) -> Tensor:
        """Decision of a single machine on each vector [N, C], [N]."""
        found = [squares(part, self.support).mul_(-self.gamma).exp_() @ self.weight
                 for part in vectors.split(ROWS)]  # fmt: skip
        return torch.cat(found) + self.offset

    def decide_apart(self, vectors: Tensor, rows: Tensor) -> Tensor:
        """Decision of machine `rows` [N] on each vector [N, C], [N]."""
        ends = self.count.cumsum(0)
        parts = zip(vectors.split(ROWS), rows.split(ROWS), strict=True)
        return torch.cat([self._apart(part, row, ends) for part, row in parts])

    def _apart(self, vectors: Tensor, rows: Tensor, ends: Tensor) -> Tensor:
        count = self.count[rows]
        owner = torch.arange(len(rows), device=rows.device).repeat_interleave(count)
        # Of all that are listed here, the last of a row is the last of its machine.
        at = torch.arange(len(owner), device=rows.device)
        at = at - (count.cumsum(0) - ends[rows])[owner]
        distance = (vectors[owner] - self.support[at]).square().sum(1)
        kernel = torch.exp(-self.gamma[at] * distance) * self.weight[at]
        return torch.segment_reduce(kernel, "sum", lengths=count) + self.offset[rows]


def machines(parts: Sequence[Tensor], nu: float, gamma: float) -> Machines:
    """A machine for each of some sets of vectors [N, C]; it decides as that of scikit-learn.

    Where gamma is 0, it is 1 / (channels x variance) of each set.
    """
    found = [_machine(part, nu, gamma) for part in parts]
    support, weight, width, offset = zip(*found, strict=True)
    count = torch.tensor([len(one) for one in weight], device=parts[0].device)
    return Machines(
        torch.cat(support), torch.cat(weight), torch.cat(width), torch.stack(offset), count
    )


def _machine(vectors: Tensor, nu: float, gamma: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Support vectors, their dual coefficients and kernel, [S, …], and the intercept, []."""
    wide = vectors.cpu().double().numpy()
    gamma = gamma or 1 / (wide.shape[1] * (wide.var() or 1.0))
    machine = OneClassSVM(nu=nu, gamma=gamma, tol=TOLERANCE).fit(wide)
    return (
        vectors.new_tensor(machine.support_vectors_),
        vectors.new_tensor(machine.dual_coef_[0]),
        vectors.new_full((len(machine.support_),), gamma),
        vectors.new_tensor(machine.intercept_[0]),
    )
