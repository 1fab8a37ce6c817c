"""ATLAS R2.0: lesions after stroke.

Layout: Liew et al., Scientific Data 2022, doi:10.1038/s41597-022-01401-7, and the release itself,
http://fcon_1000.projects.nitrc.org/indi/retro/atlas.html: names of BIDS but for the truth, which
is label-L_desc-T1lesion_mask. The first number of a subject is its site.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import LESIONED, Layout, Scan, joined

START = r"/sub-((r\d{3})s\d{3})_ses-(\d+)_space-MNI152NLin2009aSym_"
NAME = START + r"T1w\.nii(\.gz)?$"
TRUTH = "label-L_desc-T1lesion_mask"


def read(files: Files) -> list[Scan]:
    """Each session with its lesion; the test release has no truth."""
    found = ((match.groups()[:3], "T1w", path) for match, path in files.matching(NAME))
    scans = []
    for (subject, site, visit), images in joined(found):
        path = images["T1w"]
        truth = files.first(path.parent, path.name.partition("T1w")[0] + TRUTH)
        tests = "Testing" in path.absolute().parts
        scans.append(Scan(subject, images, visit, "", LESIONED, truth, site=site, tests=tests))
    return scans


ATLAS = Layout(
    name="atlas",
    title="ATLAS R2.0",
    what="955 people after stroke, T1 of heads with skull, in MNI space",
    where="http://fcon_1000.projects.nitrc.org/indi/retro/atlas.html",
    terms="agree to its terms of use, then a password comes by mail",
    reference="Liew et al., Scientific Data 2022",
    roles="all lesioned; the truth of the 300 test cases is not public",
    tree=(
        "Training/R001/sub-r001s001/ses-1/anat/"
        "sub-r001s001_ses-1_space-MNI152NLin2009aSym_T1w.nii.gz\n"
        "Training/R001/sub-r001s001/ses-1/anat/"
        "sub-r001s001_ses-1_space-MNI152NLin2009aSym_label-L_desc-T1lesion_mask.nii.gz"
    ),
    mark=r"/sub-r\d{3}s\d{3}_",
    read=read,
    modalities=("T1w",),
)
