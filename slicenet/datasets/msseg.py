"""MSSEG 2016: multiple sclerosis, seen by seven experts.

Layout: Commowick et al., NeuroImage 2021, doi:10.1016/j.neuroimage.2021.118589, and the release at
https://shanoir.irisa.fr/: what is preprocessed is stripped and lies on the grid of the FLAIR, on
which the experts have drawn; DP is proton density, GADO is T1 after contrast.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import LESIONED, Layout, Scan, joined

PLACE = r"/(?:(Training|Testing)/)?Center_(\d\d)/Patient_(\d\d)/"
NAME = PLACE + r"(Preprocessed|Raw)_Data/(FLAIR|T1|T2|DP|GADO)(?:_preprocessed)?\.nii(\.gz)?$"
SUFFIXES = {"FLAIR": "FLAIR", "T1": "T1w", "T2": "T2w", "DP": "PDw", "GADO": "T1ce"}
VERSIONS = {"Preprocessed": "preproc", "Raw": "raw"}


def read(files: Files) -> list[Scan]:
    """Each patient, as scanned and preprocessed, with the consensus of the experts."""
    found = (
        ((match.groups()[:4], path.parent.with_name("Masks")), SUFFIXES[match[5]], path)
        for match, path in files.matching(NAME)
    )
    return [
        Scan(
            "-".join(part for part in (split, center, patient) if part),
            images,
            version=VERSIONS[kind],
            group=LESIONED,
            truth=files.first(masks, "Consensus"),
            mask=files.first(masks, "Brain_Mask") if kind == "Preprocessed" else None,
            site=center,
            tests=split == "Testing",
        )
        for ((split, center, patient, kind), masks), images in joined(found)
    ]


MSSEG = Layout(
    name="msseg",
    title="MSSEG 2016",
    what="53 patients with multiple sclerosis, four scanners, five sequences",
    where="https://shanoir.irisa.fr/ (on request)",
    terms="for research, after signing the terms of use",
    reference="Commowick et al., NeuroImage 2021",
    roles="all lesioned; the truth is the consensus of seven experts",
    tree=(
        "Training/Center_01/Patient_01/Preprocessed_Data/FLAIR_preprocessed.nii.gz\n"
        "Training/Center_01/Patient_01/Raw_Data/FLAIR.nii.gz\n"
        "Training/Center_01/Patient_01/Masks/Consensus.nii.gz\n"
        "Training/Center_01/Patient_01/Masks/Brain_Mask.nii.gz"
    ),
    mark=PLACE,
    read=read,
    modalities=("T1w", "FLAIR", "T2w", "PDw", "T1ce"),
    versions=("preproc", "raw"),
)
