from dataclasses import replace
from pathlib import Path, PurePosixPath

from slicenet.cohort import Case
from slicenet.output.names import HEATMAP, MASK, SIDECAR, ended, native, own, sidecar

OUT = Path("out")
CASE = Case("sub-1_space-MNI152_res-2_T2w", (Path("in/image.nii.gz"),), PurePosixPath("sub-1/anat"))


def test_a_suffix_becomes_an_entity_before_the_space():
    assert ended(own(OUT, CASE), HEATMAP) == (
        OUT / "sub-1/anat/sub-1_mod-T2w_space-MNI152_res-2_desc-anomaly_heatmap.nii.gz"
    )


def test_on_the_grid_of_the_scan_the_space_is_orig():
    assert native(OUT, CASE) == OUT / "sub-1/anat/sub-1_mod-T2w_space-orig"
    plain = replace(CASE, name="case.7", folder=PurePosixPath("case.7"))
    assert ended(native(OUT, plain), "_x.tsv") == OUT / "case.7/case.7_space-orig_x.tsv"


def test_every_image_has_a_json_of_its_name():
    assert sidecar(HEATMAP) == SIDECAR
    assert sidecar(MASK) == "_label-anomaly_mask.json"
