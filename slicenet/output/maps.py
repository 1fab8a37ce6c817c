"""The files of one map on one grid, each with what BIDS wants to be told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from slicenet import files
from slicenet.images.write import write_mask
from slicenet.output.colours import MOST
from slicenet.output.names import BRAIN, HEATMAP, MASK, PIECES, PIECES_TABLE, ended, sidecar
from slicenet.output.pieces import COLUMNS, write_pieces
from slicenet.scoring import AnomalyMap

ABOVE = (MASK, PIECES, PIECES_TABLE)  # where a threshold says what is strange


@final
@dataclass(frozen=True)
class Origin:
    """What BIDS asks of every derived image."""

    sources: tuple[str, ...]  # URIs or paths of the files of the case
    space: str  # the image that it lies on, or `orig`
    out: Path  # the data set that it becomes part of

    def table(self, description: str, anomalies: AnomalyMap, *sources: Path) -> dict[str, Any]:
        """A sidecar; of files of this data set if any are named, else of the case's."""
        mine = [f"bids::{path.relative_to(self.out).as_posix()}" for path in sources]
        edges = " x ".join(f"{edge:.4g}" for edge in anomalies.volume.grid.spacing)
        return {
            "Description": description,
            "Sources": mine or list(self.sources),
            "SpatialReference": self.space,
            "Resolution": f"that of the image it lies on, voxels of {edges} mm",
        }


def wanted(stem: Path, threshold: str | None) -> list[Path]:
    """Files without which a map is not whole."""
    endings = (HEATMAP, BRAIN, *(ABOVE if threshold else ()))
    images = [each for each in endings if each not in (HEATMAP, PIECES_TABLE)]
    return [ended(stem, each) for each in (*endings, *map(sidecar, images))]


def write_maps(stem: Path, anomalies: AnomalyMap, threshold: str | None, origin: Origin) -> None:
    """Write them; those that only a threshold gives are removed where there is none."""
    heatmap, brain = ended(stem, HEATMAP), ended(stem, BRAIN)
    anomalies.write(heatmap)
    write_mask(brain, anomalies.brain.numpy(), anomalies.volume.grid)
    _tell(stem, BRAIN, {**origin.table("brain that was looked at", anomalies), "Type": "Brain"})
    if threshold is None:
        _remove(stem, ABOVE)
        return
    mask = ended(stem, MASK)
    anomalies.write_mask(mask, threshold)
    told = origin.table(f"brain where the map lies above {threshold}", anomalies, heatmap, brain)
    _tell(stem, MASK, {**told, "Type": "ROI"})
    found = write_pieces(stem, anomalies, threshold)
    told = origin.table("pieces of the mask, the largest first", anomalies, heatmap, mask)
    counts = {"Found": found, "Kept": min(found, MOST)}
    _tell(stem, PIECES, {**told, "Manual": False, **counts, **COLUMNS})


def remove_maps(stem: Path) -> None:
    """Remove what an earlier run may have left of a map that is not made any more."""
    _remove(stem, (HEATMAP, BRAIN, *ABOVE))


def _remove(stem: Path, endings: tuple[str, ...]) -> None:
    for ending in (*endings, *map(sidecar, endings)):
        files.remove(ended(stem, ending))


def _tell(stem: Path, ending: str, content: Mapping[str, Any]) -> None:
    files.write_json(ended(stem, sidecar(ending)), content)
