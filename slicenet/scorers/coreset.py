"""A few vectors that no other is far from: greedy k-centres (Sener and Savarese, 2018)."""

import torch
from torch import Tensor

from slicenet.watch import Watch

EVERY = 64  # choices from one report to the next


def coreset(
    vectors: Tensor, count: int, projection: int, draw: torch.Generator, watch: Watch
) -> Tensor:
    """Rows of those chosen among vectors [N, C], in the order of choice, [count] or all N.

    The first is drawn, each next is farthest from those before it. Distances are those of a random
    projection onto so many channels (PatchCore, Roth et al., 2022), of all channels if it is 0.
    """
    count = min(count, len(vectors))
    seen = project(vectors, projection, draw)
    lengths = seen.square().sum(1)
    chosen = torch.zeros(count, dtype=torch.int64, device=seen.device)
    chosen[0] = torch.randint(len(seen), (), generator=draw).item()
    least = torch.full_like(lengths, torch.inf)
    for done in range(1, count):
        last = chosen[done - 1]
        squares = torch.addmv(lengths, seen, seen[last], alpha=-2).add_(lengths[last])
        torch.minimum(least, squares, out=least)
        least[last] = -torch.inf  # rounding must not choose it again
        chosen[done] = least.argmax()
        if done % EVERY == 0:
            watch("coreset", done, count)
    watch("coreset", count, count)
    return chosen


def project(vectors: Tensor, channels: int, draw: torch.Generator) -> Tensor:
    """Vectors [N, C] onto random directions, [N, channels]; as they are if these are not fewer."""
    width = vectors.shape[1]
    if not 0 < channels < width:
        return vectors
    # Of this length a projection keeps squared distances on average (Johnson and Lindenstrauss).
    directions = torch.randn(width, channels, generator=draw) / channels**0.5
    return vectors @ directions.to(vectors)
