"""MVTec AD: objects and textures with defects, and any set in its layout.

Layout: https://www.mvtec.com/company/research/datasets/mvtec-ad: train/good, test/good,
test/DEFECT, and ground_truth/DEFECT/000_mask.png for test/DEFECT/000.png.
"""

from slicenet.datasets.files import Files
from slicenet.datasets.layout import HEALTHY, LESIONED, PICTURE, Layout, Scan

NAME = r"/(\w+)/(train/good|test/(\w+))/(\d+)\.png$"
MASKS = "ground_truth"


def read(files: Files) -> list[Scan]:
    """Each picture as a subject; those in test/ are for testing only."""
    masks = {path for _, path in files.matching(rf"/{MASKS}/\w+/\d+_mask\.png$")}
    scans = []
    for match, path in files.matching(NAME):
        category, _, kind, number = match.groups()
        name = f"{category}_test_{kind}_{number}" if kind else f"{category}_train_good_{number}"
        healthy = kind in (None, "good")
        truth = path.parents[2] / MASKS / path.parent.name / f"{number}_mask.png"
        scans.append(
            Scan(
                name,
                {PICTURE: path},
                group=HEALTHY if healthy else LESIONED,
                truth=truth if truth in masks else None,
                tests=kind is not None,
            )
        )
    return scans


MVTEC = Layout(
    name="mvtec",
    title="MVTec AD",
    what="5354 pictures of 15 kinds of objects and textures; name one kind at a time",
    where="https://www.mvtec.com/company/research/datasets/mvtec-ad",
    terms="CC BY-NC-SA 4.0",
    reference="Bergmann et al., IJCV 2021",
    roles="good is healthy, of which train/ alone is learnt from; the rest is lesioned, with truth",
    tree=(
        "bottle/train/good/000.png\n"
        "bottle/test/broken_large/000.png\n"
        "bottle/ground_truth/broken_large/000_mask.png"
    ),
    mark=r"/(train|test|ground_truth)/\w+/\d+(_mask)?\.png$",
    read=read,
    whole=True,
)
