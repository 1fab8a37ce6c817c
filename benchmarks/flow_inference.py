"""How much faster a fused flow scores than the same flow unfused, and how far their densities lie.

The last line is the ratio to the flow in the same pieces, which owes nothing to the cache.

    python benchmarks/flow_inference.py --threads 1
"""

import time
from collections.abc import Callable

import click
import torch
from torch import Tensor

from slicenet.flows.conditional import ConditionalFlow
from slicenet.flows.fused import PIECE, FusedFlow
from slicenet.flows.position import VOLUME


@click.command()
@click.option("--vectors", default=8 * PIECE, show_default=True, help="18432 in a paper's volume.")
@click.option("--channels", default=512, show_default=True)
@click.option("--threads", default=torch.get_num_threads(), show_default=True)
@click.option("--rounds", default=7, show_default=True, help="The fastest of these counts.")
@click.option("--device", default="cpu", show_default=True)
def main(vectors: int, channels: int, threads: int, rounds: int, device: str) -> None:
    """Time both, in turns, so that a busy machine slows them alike."""
    torch.set_num_threads(threads)
    flow = _away_from_its_start(ConditionalFlow(channels, sum(VOLUME))).to(device)
    fused = FusedFlow(flow)
    draw = torch.Generator().manual_seed(0)
    widths = (channels, sum(VOLUME))
    batch = [torch.randn(vectors, width, generator=draw).to(device) for width in widths]
    ways = {
        "unfused, in one piece": lambda: flow.log_density(*batch),
        f"unfused, pieces of {PIECE}": lambda: _in_pieces(flow, batch),
        f"fused, pieces of {PIECE}": lambda: fused.log_density(*batch),
    }
    with torch.inference_mode():
        apart = (fused.log_density(*batch) - flow.log_density(*batch)).abs().max()
        fastest = _fastest(ways, rounds, device)
    for name, seconds in fastest.items():
        click.echo(f"{name:24} {1e6 * seconds / vectors:8.1f} µs a vector")
    whole, pieces, best = fastest.values()
    click.echo(f"furthest density         {float(apart):8.1e} nats per channel")
    click.echo(f"faster than in one piece {whole / best:8.2f}x")
    click.echo(f"faster in the same pieces {pieces / best:7.2f}x")


def _away_from_its_start(flow: ConditionalFlow) -> ConditionalFlow:
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=draw)
    return flow


def _in_pieces(flow: ConditionalFlow, batch: list[Tensor]) -> Tensor:
    pieces = zip(*(tensor.split(PIECE) for tensor in batch), strict=True)
    return torch.cat([flow.log_density(*piece) for piece in pieces])


def _fastest(ways: dict[str, Callable[[], Tensor]], rounds: int, device: str) -> dict[str, float]:
    seconds = {name: float("inf") for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if device != "cpu":
                torch.cuda.synchronize()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    main()
