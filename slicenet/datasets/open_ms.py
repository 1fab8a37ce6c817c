"""Open MS data of Ljubljana: multiple sclerosis, once and twice.

Layout: https://github.com/muschellij2/open_ms_data and the READMEs in it. Some masks carry the
patient in front of their name. The truth of the longitudinal part marks what has changed between
two studies, not what is a lesion in either of them, so it is no truth of ours.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import LESIONED, Layout, Scan, joined

PARTS = r"/(cross_sectional|longitudinal)/(raw|coregistered|coregistered_resampled)"
PART = rf"(?:{PARTS})?"
NAME = PART + r"/(patient\d\d)/(?:\3_)?(?:study([12])_)?(T1W|T1WKS|T2W|FLAIR)\.nii(\.gz)?$"
SUFFIXES = {"T1W": "T1w", "T1WKS": "T1ce", "T2W": "T2w", "FLAIR": "FLAIR"}


def read(files: Files) -> list[Scan]:
    """Each study of a patient in each of its versions.

    Other sets may number patients alike: only its parts or its truth tell this one.
    """
    known = any(files.matching(rf"{PARTS}/|/patient\d\d/(patient\d\d_)?consensus_gt\.nii"))
    found = (
        ((match.groups()[:4], path.parent), SUFFIXES[match[5]], path)
        for match, path in files.matching(NAME)
    )
    return [
        Scan(
            f"{(part or 'cross_sectional').split('_')[0]}-{patient}",
            images,
            study or "",
            (version or "").replace("_", "-"),
            LESIONED,
            files.first(folder, "consensus_gt", f"{patient}_consensus_gt"),
            mask=files.first(folder, "brainmask", f"{patient}_brainmask"),
        )
        for ((part, version, patient, study), folder), images in joined(found)
        if known
    ]


OPEN_MS = Layout(
    name="open-ms",
    title="open MS data",
    what="30 patients with multiple sclerosis seen once, 20 seen twice; four sequences",
    where="https://github.com/muschellij2/open_ms_data",
    terms="CC BY",
    reference="Lesjak et al., Neuroinformatics 2018 (once) and 2016 (twice)",
    roles="all lesioned; truth for those seen once, the consensus of three experts",
    tree=(
        "cross_sectional/coregistered_resampled/patient01/T1W.nii.gz\n"
        "cross_sectional/coregistered_resampled/patient01/consensus_gt.nii.gz\n"
        "cross_sectional/coregistered_resampled/patient01/brainmask.nii.gz\n"
        "longitudinal/coregistered/patient01/study1_FLAIR.nii.gz"
    ),
    mark=r"/patient\d\d/",
    read=read,
    modalities=("T1w", "FLAIR", "T2w", "T1ce"),
    versions=("coregistered-resampled", "coregistered", "raw"),
)
