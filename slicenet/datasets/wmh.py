"""WMH segmentation challenge: white matter hyperintensities of presumed vascular origin.

Layout: https://doi.org/10.34894/AECRSD and https://wmh.isi.uu.nl/: training and test, then site,
in Amsterdam also scanner, then a number that is unique. T1.nii.gz lies on the grid of the FLAIR
and 3DT1.nii.gz does not. In wmh.nii.gz, 1 is what is looked for and 2 is other pathology, a rough
mask that the challenge ignores.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import LESIONED, Layout, Scan, joined

# The first release had the scanners of Amsterdam beside the other sites.
SITE = r"/(Utrecht|Singapore|GE3T|GE1T5|Philips_VU)[^/]*/(\d+)/"
NAME = SITE + r"(pre|orig)/(FLAIR|T1)\.nii(\.gz)?$"
SUFFIXES = {"FLAIR": "FLAIR", "T1": "T1w"}
WMH_LABEL = 1


def read(files: Files) -> list[Scan]:
    """Each subject, as scanned and preprocessed, with what of its truth counts."""
    found = (
        ((match[1], match[2], match[3], path.parent.parent), SUFFIXES[match[4]], path)
        for match, path in files.matching(NAME)
    )
    return [
        Scan(
            f"{site}-{number}",
            images,
            version=version,
            group=LESIONED,
            truth=files.first(folder, "wmh"),
            labels=(WMH_LABEL,),
            site=site,
            tests="test" in folder.absolute().parts[-4:],
        )
        for (site, number, version, folder), images in joined(found)
    ]


WMH = Layout(
    name="wmh",
    title="WMH challenge",
    what="170 memory-clinic patients, five scanners, T1 and FLAIR on one grid, heads with skull",
    where="https://doi.org/10.34894/AECRSD",
    terms="those of its page; cite the paper",
    reference="Kuijf et al., IEEE TMI 2019",
    roles="all lesioned; of the truth, label 1 counts and label 2, other pathology, does not",
    tree=(
        "training/Utrecht/0/pre/FLAIR.nii.gz\n"
        "training/Utrecht/0/pre/T1.nii.gz\n"
        "training/Utrecht/0/orig/FLAIR.nii.gz\n"
        "training/Utrecht/0/wmh.nii.gz\n"
        "training/Amsterdam/GE3T/100/pre/FLAIR.nii.gz"
    ),
    mark=SITE + "|/additional_annotations/",
    read=read,
    modalities=("T1w", "FLAIR"),
    versions=("pre", "orig"),
)
