"""Br35H: slices with and without a brain tumour, as pictures.

Layout: https://www.kaggle.com/datasets/ahmedhamada0/brain-tumor-detection: yes/y0.jpg, no/no0.jpg,
pred/pred0.jpg. Br35H-Mask-RCNN repeats part of yes/ with outlines in JSON, which are not read.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import HEALTHY, LESIONED, PICTURE, Layout, Scan

NAME = r"/(?:yes/(y\d+)|no/(no\d+)|pred/(pred\d+))\.jpe?g$"


def read(files: Files) -> list[Scan]:
    """Each picture as a subject: nobody knows which of them show the same head."""
    scans = []
    for match, path in files.matching(NAME):
        ill, well, unknown = match.groups()
        group = LESIONED if ill else HEALTHY if well else ""
        scans.append(Scan(ill or well or unknown, {PICTURE: path}, group=group))
    return scans


BR35H = Layout(
    name="br35h",
    title="Br35H",
    what="3000 pictures of MRI slices in all directions and sizes, heads with skull",
    where="https://www.kaggle.com/datasets/ahmedhamada0/brain-tumor-detection",
    terms="those of its page",
    reference="Hamada, Br35H: Brain Tumor Detection 2020",
    roles="no/ is healthy, yes/ lesioned, pred/ unknown; no truth masks. Subjects are unknown, so "
    "slices of one head may lie on both sides of a split",
    tree="no/no0.jpg\nyes/y0.jpg\npred/pred0.jpg",
    mark=r"/(yes|no|pred)/[^/]+$|/Br35H-Mask-RCNN/",
    read=read,
)
