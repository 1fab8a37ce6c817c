"""IXI: healthy people at three hospitals of London.

Layout: https://brain-development.org/ixi-dataset/, whose archives IXI-T1.tar, IXI-T2.tar, … hold
files such as IXI002-Guys-0828-T1.nii.gz: subject, site, number of the visit, modality.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import HEALTHY, Layout, Scan, joined

NAME = r"/(IXI\d{3})-(Guys|HH|IOP)-\d{4}-(T1|T2|PD|MRA)\.nii(\.gz)?$"
SUFFIXES = {"T1": "T1w", "T2": "T2w", "PD": "PDw", "MRA": "MRA"}


def read(files: Files) -> list[Scan]:
    """Each subject with what was acquired of it; none has a truth, all are healthy."""
    found = (
        ((match[1], match[2]), SUFFIXES[match[3]], path) for match, path in files.matching(NAME)
    )
    return [
        Scan(subject, images, group=HEALTHY, site=site) for (subject, site), images in joined(found)
    ]


IXI = Layout(
    name="ixi",
    title="IXI",
    what="581 healthy adults, three scanners, heads with skull",
    where="https://brain-development.org/ixi-dataset/",
    terms="CC BY-SA 3.0",
    reference="IXI, Information eXtraction from Images, EPSRC GR/S21533/02",
    roles="all healthy; no truth",
    tree="IXI-T1/IXI002-Guys-0828-T1.nii.gz\nIXI-T2/IXI002-Guys-0828-T2.nii.gz",
    mark=r"/IXI\d{3}-",
    read=read,
    modalities=("T1w", "T2w", "PDw", "MRA"),
)
