from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from slicenet.errors import NoInputError
from slicenet.phantom.base import add_lesions, choose_sources
from slicenet.phantom.dataset import write_phantoms
from slicenet.phantom.make import make_phantom
from slicenet.volume import Volume


@pytest.fixture(scope="module")
def scan(small):
    """A scan on an oblique grid outside MNI space, with values that are no whole numbers."""
    voxels = make_phantom(small, 0, 0, False).volume.voxels / 7
    turned = nib.eulerangles.euler2mat(0.2, 0.1, -0.1) @ np.diag([4.0, 4, 4])
    return Volume(voxels, voxels[0] > 0, nib.affines.from_matvec(turned, [-70, 30, 12]), "scan")


@pytest.fixture(scope="module")
def base(small, tmp_path_factory):
    """Six healthy scans and a lesioned one, in BIDS, on a grid that is stored as LPS."""
    root = tmp_path_factory.mktemp("base")
    rows = ["participant_id\tgroup"]
    for index in range(7):
        name, volume = f"sub-P{index}", make_phantom(small, 3, index, False).volume
        flip = np.diag([-1.0, -1, 1, 1])
        flip[:2, 3] = np.array(volume.brain.shape[:2]) - 1
        values = volume.voxels[0].numpy()[::-1, ::-1]
        (root / name / "anat").mkdir(parents=True)
        image = nib.Nifti1Image(values.astype(np.float32) / 3, volume.affine @ flip)
        nib.save(image, root / name / "anat" / f"{name}_T1w.nii.gz")
        rows.append(f"{name}\t{'healthy' if index else 'lesioned'}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    return root


def test_a_scan_changes_in_its_lesions_only(scan, small):
    for index in range(5):
        phantom = add_lesions(scan, small, 0, index)
        touched = torch.from_numpy(np.any([one.weight > 0 for one in phantom.lesions], axis=0))
        assert torch.equal(phantom.volume.voxels[:, ~touched], scan.voxels[:, ~touched])
        changed = phantom.volume.voxels[0] != scan.voxels[0]
        assert changed[phantom.truth].double().mean() > 0.5
        assert not (phantom.truth & ~scan.brain).any()
        assert phantom.volume.digest != scan.digest


def test_whole_numbers_stay_whole(small):
    volume = make_phantom(small, 0, 0, False).volume
    voxels = add_lesions(volume, small, 0, 1).volume.voxels
    assert torch.equal(voxels, voxels.round())


def test_mass_effect_moves_tissue_but_nothing_off_the_brain(scan, small):
    phantom = add_lesions(scan, replace(small, mass_effect=True, smallest=12.0), 0, 1)
    touched = torch.from_numpy(np.any([one.weight > 0 for one in phantom.lesions], axis=0))
    changed = phantom.volume.voxels[0] != scan.voxels[0]
    assert (changed & ~touched).any()
    assert not (changed & ~scan.brain).any()


def test_a_mask_finds_the_same_part_of_a_brain_that_lies_elsewhere(scan, small, tmp_path):
    # Around (-28, -20, 28): left of the middle, in the upper half.
    cube = nib.Nifti1Image(np.pad(np.ones((10, 10, 10), np.uint8), 2), np.diag([2.0, 2, 2, 1]))
    cube.affine[:3, 3] = [-41, -33, 15]
    cube.set_sform(cube.affine, 4)
    nib.save(cube, tmp_path / "cube.nii.gz")
    truth = add_lesions(scan, small, 0, 0, [tmp_path / "cube.nii.gz"]).truth
    where = np.argwhere(truth.numpy()).mean(0)
    brain = np.argwhere(scan.brain.numpy())
    share = (where - brain.min(0)) / (brain.max(0) - brain.min(0))
    assert share[0] < 0.45
    assert share[2] > 0.5


def test_groups_are_disjoint_and_keep_when_the_other_grows(base):
    names = {}
    for healthy, lesioned in [(2, 2), (4, 2), (2, 4)]:
        whole, hurt = choose_sources(base, ("T1w",), healthy, lesioned, 0)
        names[healthy, lesioned] = [{one.case.subject for one in part} for part in (whole, hurt)]
        assert len(whole) == healthy
        assert len(hurt) == lesioned
        assert not names[healthy, lesioned][0] & names[healthy, lesioned][1]
        assert "P0" not in {one.case.subject for one in [*whole, *hurt]}
    assert names[2, 2][1] == names[4, 2][1]
    assert names[2, 2][0] == names[2, 4][0]


def test_more_than_there_are_is_refused_with_the_count(base):
    with pytest.raises(NoInputError, match=r"4 \+ 3 of 6"):
        choose_sources(base, ("T1w",), 4, 3, 0)
    with pytest.raises(NoInputError, match="all that was asked"):
        choose_sources(base, ("FLAIR",), 1, 1, 0)


def test_plain_names_take_the_contrast_that_the_user_names(base, tmp_path):
    for index in range(2):
        image = nib.load(base / f"sub-P{index}/anat/sub-P{index}_T1w.nii.gz")
        nib.save(image, tmp_path / f"case{index}.nii.gz")
    whole, hurt = choose_sources(tmp_path, ("FLAIR",), 1, 1, 0)
    assert {one.case.name for one in [*whole, *hurt]} == {"case0", "case1"}


def test_the_tree_holds_the_scans_on_their_own_grid(base, small, tmp_path):
    rows = write_phantoms(tmp_path / "out", 3, 2, 0, small, base=base).rows
    assert [row["group"] for row in rows].count("healthy") == 3
    for row in rows:
        name, source = row["participant_id"], row["source"]
        anat = tmp_path / "out" / name / "anat"
        before = nib.load(next((base / source.split("_")[0]).rglob("*_T1w.nii.gz")))
        after = nib.load(anat / f"{name}_T1w.nii.gz")
        assert np.array_equal(before.affine, after.affine)
        changed = np.asarray(before.dataobj) != np.asarray(after.dataobj)
        assert changed.any() == (row["group"] == "lesioned")
    description = (tmp_path / "out/dataset_description.json").read_text()
    assert "slicenet phantom" not in description  # models that learn from it learn from real scans
