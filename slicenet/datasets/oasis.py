"""OASIS-1 and OASIS-3: ageing with and without dementia.

Layouts: https://sites.wustl.edu/oasisbrains/, fact sheets of OASIS-1 (OAS1_0001_MR1, whose second
number is the visit; T88_111 is Talairach space at 1 mm, masked means stripped) and of OASIS-3,
whose files have BIDS names. oasis_cross-sectional.csv tells the clinical dementia rating.
"""

import csv
import io

from slicenet.datasets.files import Files
from slicenet.datasets.layout import HEALTHY, Layout, Scan, joined
from slicenet.errors import VolumeError
from slicenet.images.texts import read_text

FIRST = r"/(OAS1_\d{4})_(MR\d)_mpr_n\d_anon_111_t88_(masked_)?gfc\.(?:img|nii|nii\.gz)$"
THIRD = r"/sub-(OAS3\d{4})_ses-(d\d{4})(?:_[a-z]+-\w+)?_(T1w|T2w|FLAIR)\.nii(\.gz)?$"
TABLE = r"/oasis_cross-sectional\.csv$"
DEMENTED = "demented"


def read(files: Files) -> list[Scan]:
    """Each visit, converted to NIfTI if it has been; without a rating it is of no group."""
    ratings = _ratings(files)
    first = (
        ((match[1], match[2], "masked" if match[3] else "head"), "T1w", path)
        for match, path in files.matching(FIRST)
        if path.suffix != ".img" or files.first(path.parent, path.stem) is None
    )
    third = (((match[1], match[2]), match[3], path) for match, path in files.matching(THIRD))
    scans = [
        Scan(subject, images, visit, version, ratings.get(f"{subject}_{visit}", ""))
        for (subject, visit, version), images in joined(first)
    ]
    return [*scans, *(Scan(subject, images, visit) for (subject, visit), images in joined(third))]


def _ratings(files: Files) -> dict[str, str]:
    """Groups by subject and visit; a table that cannot be read says nothing."""
    groups: dict[str, str] = {}
    for _, path in files.matching(TABLE):
        try:
            rows = list(csv.DictReader(io.StringIO(read_text(path), newline="")))
            rated = {row.get("ID") or "": float(row["CDR"]) for row in rows if row.get("CDR")}
        except (VolumeError, csv.Error, ValueError):
            continue
        groups |= {visit: DEMENTED if rating else HEALTHY for visit, rating in rated.items()}
    return groups


OASIS = Layout(
    name="oasis",
    title="OASIS",
    what="OASIS-1: 416 people of 18 to 96 years, stripped; OASIS-3: 1378, heads with skull",
    where="https://sites.wustl.edu/oasisbrains/",
    terms="data use agreement",
    reference="Marcus et al., J. Cogn. Neurosci. 2007; LaMontagne et al., medRxiv 2019",
    roles="OASIS-1: healthy at a clinical dementia rating of 0, if its table lies there; no truth. "
    "Its Analyze files tell no orientation and are refused: convert them to NIfTI beside them",
    tree=(
        "oasis_cross-sectional.csv\n"
        "OAS1_0001_MR1/PROCESSED/MPRAGE/T88_111/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.hdr\n"
        "OAS1_0001_MR1/PROCESSED/MPRAGE/T88_111/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.img\n"
        "OAS30001_MR_d0129/anat1/sub-OAS30001_ses-d0129_run-01_T1w.nii.gz"
    ),
    mark=r"/OAS1_\d{4}_MR|/sub-OAS3\d{4}_",
    read=read,
    modalities=("T1w", "T2w", "FLAIR"),
    versions=("masked", "head"),
)
