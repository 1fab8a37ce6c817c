"""BraTS 2018 to 2023: brain tumours, stripped and registered to one atlas.

Layouts: https://www.med.upenn.edu/cbica/brats2020/data.html (2018 to 2020, the same files with
another prefix), https://www.synapse.org/Synapse:syn25829067 (2021), and
https://www.synapse.org/Synapse:syn51156910 (2023), where the last number is the visit and t1n,
t1c, t2w, t2f are what t1, t1ce, t2, flair were. The last number of 2018 and 2019 is one as well.
"""

import re

from slicenet.datasets.files import Files
from slicenet.datasets.layout import LESIONED, Layout, Scan, joined

ENDING = r"\.nii(\.gz)?$"
EARLY = rf"/([Bb]ra[tT][sS](?:1[789]|20|2021)_\w+?)_(t1|t1ce|t2|flair|seg){ENDING}"
LATE = rf"/(BraTS-[A-Z]{{2,4}}-\d{{5}})-(\d{{3}})-(t1n|t1c|t2w|t2f|seg){ENDING}"
VISIT = re.compile(r"([Bb]ra[tT][sS]1[789]_\w+)_(\d+)")
TRUTH = "seg"
SUFFIXES = {
    **{"t1": "T1w", "t1ce": "T1ce", "t2": "T2w", "flair": "FLAIR"},
    **{"t1n": "T1w", "t1c": "T1ce", "t2w": "T2w", "t2f": "FLAIR"},
    TRUTH: TRUTH,
}


def read(files: Files) -> list[Scan]:
    """Each visit with its tumour, of which all labels count."""
    found = [(_person(match[1]), match[2], path) for match, path in files.matching(EARLY)]
    found += [((match[1], match[2]), match[3], path) for match, path in files.matching(LATE)]
    images = joined((key, SUFFIXES[kind], path) for key, kind, path in found)
    return [
        Scan(subject, scans, visit, group=LESIONED, truth=truth)
        for (subject, visit), every in images
        for truth, scans in [(every.get(TRUTH), {k: v for k, v in every.items() if k != TRUTH})]
        if scans
    ]


def _person(name: str) -> tuple[str, str]:
    """Subject and visit; since 2020 a name tells of no visit."""
    found = VISIT.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


BRATS = Layout(
    name="brats",
    title="BraTS",
    what="gliomas and other tumours, 2018 to 2023, stripped, 1 mm, one atlas",
    where="https://www.synapse.org/Synapse:syn51156910 (2023) and the pages of earlier years",
    terms="registration, then the terms of each year; cite the papers they name",
    reference="Menze et al., IEEE TMI 2015; Baid et al., arXiv 2107.02314",
    roles="all lesioned; the truth is all labels of the tumour; none for validation cases",
    tree=(
        "HGG/Brats18_2013_2_1/Brats18_2013_2_1_t1.nii.gz\n"
        "BraTS20_Training_001/BraTS20_Training_001_t1.nii.gz\n"
        "BraTS2021_00000/BraTS2021_00000_t1.nii.gz\n"
        "BraTS-GLI-00000-000/BraTS-GLI-00000-000-t1n.nii.gz\n"
        "BraTS-GLI-00000-000/BraTS-GLI-00000-000-seg.nii.gz"
    ),
    mark=r"/[Bb]ra[tT][sS](1[789]|20|2021)_|/BraTS-[A-Z]{2,4}-\d{5}-",
    read=read,
    modalities=("T1w", "T1ce", "T2w", "FLAIR"),
)
