"""Every layout by its name, and which of them a folder has. Adding one: a file here, a line."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.datasets.atlas import ATLAS
from slicenet.datasets.br35h import BR35H
from slicenet.datasets.brats import BRATS
from slicenet.datasets.files import Files
from slicenet.datasets.ixi import IXI
from slicenet.datasets.layout import Layout, Scan
from slicenet.datasets.msseg import MSSEG
from slicenet.datasets.mvtec import MVTEC
from slicenet.datasets.oasis import OASIS
from slicenet.datasets.open_ms import OPEN_MS
from slicenet.datasets.wmh import WMH

LAYOUTS = {
    layout.name: layout for layout in (IXI, OASIS, BRATS, ATLAS, WMH, MSSEG, OPEN_MS, BR35H, MVTEC)
}
MOST = 0.5  # of the images must have names of the set: a few among others make no data set


@final
@dataclass(frozen=True)
class Found:
    """A data set on disk."""

    layout: Layout
    scans: tuple[Scan, ...]
    foreign: tuple[Path, ...]  # images that are none of the set's


def recognise(folder: Path) -> Found | None:
    """The data set that a folder holds, by names alone; none where most images are of no set."""
    return recognise_files(Files.below(folder))


def recognise_files(files: Files) -> Found | None:
    """The data set that most of some files belong to."""
    images = files.images
    for layout in LAYOUTS.values():
        foreign = tuple(path for text, path in images if not re.search(layout.mark, text))
        if len(foreign) > MOST * len(images) or len(foreign) == len(images):
            continue
        if scans := layout.read(files):
            return Found(layout, tuple(scans), foreign)
    return None
