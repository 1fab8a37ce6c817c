"""The nearest of many vectors, exactly: by torch, or by faiss where it is installed."""

import importlib
import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor

from slicenet.errors import ConfigError

ROWS = 1024  # vectors at once, so that memory stays flat

Find = Callable[[Tensor, Tensor, int], Tensor]


def check_search(search: str) -> None:
    """Refuse a search that does not exist."""
    if search not in SEARCHES:
        have = ", ".join(sorted(SEARCHES))
        raise ConfigError(f"search: have {have}; got {search!r}", "E_SETTING")


def check_installed(search: str) -> None:
    """Refuse a search whose library is not there."""
    if search == "faiss" and importlib.util.find_spec("faiss") is None:
        raise ConfigError(
            "search: faiss is not installed", "E_NOT_INSTALLED",
            "pip install faiss-cpu, or search=exact, which finds the same",
        )  # fmt: skip


def nearest(
    vectors: Tensor, bank: Tensor, count: int, search: str = "exact"
) -> tuple[Tensor, Tensor]:
    """Distances to the nearest of a bank [B, C], rising, and their rows in it, both [N, count].

    Vectors [N, C] and bank should lie around 0: far from it, single precision cannot rank them.
    """
    found = [_measure(part, bank, count, SEARCHES[search]) for part in vectors.split(ROWS)]
    distances, rows = zip(*found, strict=True)
    return torch.cat(distances), torch.cat(rows)


def squares(vectors: Tensor, bank: Tensor) -> Tensor:
    """Squared distances of all pairs, [N, B]; of near ones little more than rounding."""
    product = torch.addmm(bank.square().sum(1)[None], vectors, bank.T, alpha=-2)
    return product.add_(vectors.square().sum(1)[:, None]).clamp_(min=0)


def _measure(vectors: Tensor, bank: Tensor, count: int, find: Find) -> tuple[Tensor, Tensor]:
    rows = find(vectors, bank, count)
    # A search multiplies, and what it finds as a difference of large numbers ranks, no more.
    distances = torch.linalg.vector_norm(vectors[:, None] - bank[rows], dim=2)
    rising = distances.argsort(dim=1, stable=True)
    return distances.gather(1, rising), rows.gather(1, rising)


def _by_product(vectors: Tensor, bank: Tensor, count: int) -> Tensor:
    return squares(vectors, bank).topk(count, largest=False).indices


def _by_faiss(vectors: Tensor, bank: Tensor, count: int) -> Tensor:
    faiss = importlib.import_module("faiss")
    # Made anew each time: it is a copy of the bank, which a search reads a thousand times.
    index = faiss.IndexFlatL2(bank.shape[1])
    index.add(bank.cpu().numpy())
    _, rows = index.search(vectors.cpu().numpy(), count)
    return torch.from_numpy(rows).to(bank.device)


SEARCHES: dict[str, Find] = {"exact": _by_product, "faiss": _by_faiss}
