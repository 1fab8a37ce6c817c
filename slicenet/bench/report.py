"""What was measured, in lines for people; the last one alone states the result."""

from collections.abc import Iterator
from typing import Any

from slicenet.bench.published import RUN
from slicenet.bench.ways import REFERENCE

HEAD = (
    "way",
    "s/volume",
    "backbone",
    "pooling",
    "flow",
    "GFLOP/s",
    "of matrix",
    "peak GB",
    "corr.",
)


def backend_lines(rows: list[dict[str, Any]], edge: int, place: str) -> Iterator[str]:
    """The table of `bench`."""
    yield f"{'backend':<20} {'train s/volume':>15} {'score s/volume':>15} {'peak GB':>8}"
    for row in rows:
        yield (
            f"{row['backend']:<20} {row['train_seconds']:>15.2f} "
            f"{row['score_seconds']:>15.2f} {row['peak_gb']:>8.2f}"
        )
    yield f"a volume of {edge}³ voxels at 1 mm on {place}; peak of a process that only scores"


def slice_lines(found: dict[str, Any]) -> Iterator[str]:
    """The table of `compare`, the peaks by the number of slices, and the last line."""
    yield f"{HEAD[0]:<10}" + "".join(f"{name:>10}" for name in HEAD[1:])
    for row in found["ways"]:
        yield _row(row)
    published, *ours = found["ways"]
    yield (
        f"published: {RUN} slices at once through the backbone, {published['group']} through the "
        f"pooling; medians of {published['rounds']} rounds"
    )
    peaks = ", ".join(f"{slices}: {peak:.2f}" for slices, peak in found["peaks"].items())
    yield f"peak GB of float32 by the number of slices: {peaks}"
    rates = ", ".join(f"{row['way']} {row['matrix_gflops']:.0f}" for row in found["ways"])
    yield f"GFLOP/s of the machine in matrix products, as measured beside each: {rates}"
    best = min(ours, key=lambda row: float(row["seconds"]))
    yield (
        f"{best['way']}: {best['ratio']:.2f} times as fast as {REFERENCE}, "
        f"{best['seconds']:.2f} s a volume, peak {best['peak_gb']:.2f} GB, "
        f"{100 * best['share']:.0f} % of the matrix rate"
    )


def _row(row: dict[str, Any]) -> str:
    stages = "".join(f"{row[name]:>10.2f}" for name in ("seconds", "backbone", "pooling", "flow"))
    return (
        f"{row['way']:<10}{stages}{row['gflops']:>10.0f}{100 * row['share']:>8.0f} %"
        f"{row['peak_gb']:>10.2f}{row['correlation']:>10.5f}"
    )
