import gc

import numpy as np
import pytest

from slicenet.cohort import find_cohort
from slicenet.frame import Frame, FrameSettings
from slicenet.images.write import write_map, write_mask
from slicenet.inspection import inspect_to_learn, inspect_to_test
from slicenet.volume import Volume


@pytest.fixture
def folder(tmp_path, make_brain):
    """Eight brains: 0 is broken, 2 is 1 again, 3 has a lesion, 4 an empty truth."""
    for seed in range(8):
        volume = make_brain(1 if seed == 2 else seed)
        write_map(tmp_path / f"sub-{seed}_T1w.nii.gz", volume.voxels[0].numpy(), volume.grid)
    (tmp_path / "sub-0_T1w.nii.gz").write_bytes(b"junk")
    truth = np.zeros(volume.brain.shape, bool)
    write_mask(tmp_path / "sub-4_label-lesion_mask.nii.gz", truth, volume.grid)
    truth[20:22, 20:22, 20:22] = True
    write_mask(tmp_path / "sub-3_label-lesion_mask.nii.gz", truth, volume.grid)
    return tmp_path


def grouped(folder, groups):
    rows = [f"sub-{subject}\t{group}" for subject, group in groups.items()]
    (folder / "dataset_description.json").write_text("{}")
    (folder / "participants.tsv").write_text("\n".join(["participant_id\tgroup", *rows]) + "\n")


@pytest.fixture
def frame():
    return Frame(FrameSettings(spacing=(4.0, 4.0, 4.0)))


def codes(usable):
    return {name: error.code for name, error in usable.failures}


def test_broken_lesioned_and_doubled_volumes_are_not_learnt_from(folder, frame):
    usable = inspect_to_learn(find_cohort([folder]), frame)
    assert set(codes(usable)) == {"sub-0", "sub-3"}
    assert codes(usable)["sub-3"] == "E_LESION"
    names = [case.name for case in usable.cohort.cases]
    assert names == ["sub-1", *(f"sub-{i}" for i in range(4, 8))]
    assert "W_DUPLICATE" in [notice.code for notice in usable.notices]
    assert len(usable.files) == len(usable.digests) == 5


def test_a_brain_outside_of_the_box_fails_alone(folder, make_brain):
    far = Frame(FrameSettings(spacing=(4.0, 4.0, 4.0), box=(16.0, 16.0, 16.0)))
    volume = make_brain(6)
    hollow = volume.brain.clone()
    hollow[10:34, 10:42, 8:32] = False
    write_mask(folder / "sub-6_desc-brain_mask.nii.gz", hollow.numpy(), volume.grid)
    usable = inspect_to_learn(find_cohort([folder]), far)
    assert codes(usable)["sub-6"] == "E_FRAME"
    held = [one.name for one in gc.get_objects() if type(one) is Volume]
    assert not set(held) & {"sub-6", "sub-3"}  # which failed after they were read
    assert len(usable.cohort.cases) == 4


def test_a_patient_without_truth_is_not_tested(folder, frame):
    grouped(folder, {1: "healthy", 3: "patient", 5: "patient", 6: "healthy", 7: "control"})
    cohort = find_cohort([folder])
    learnt = inspect_to_learn(cohort.select([1]), frame)
    tested = inspect_to_test(cohort.select([3, 5, 6]), frame, learnt)
    assert codes(tested) == {"sub-5": "E_TRUTH"}
    assert [case.name for case in tested.cohort.cases] == ["sub-3", "sub-6"]


def test_72_what_was_learnt_from_is_not_tested_under_another_name(folder, frame):
    grouped(folder, {subject: "healthy" for subject in range(8)})
    cohort = find_cohort([folder])
    learnt = inspect_to_learn(cohort.select([1]), frame)
    tested = inspect_to_test(cohort.select([2, 6]), frame, learnt)
    assert codes(tested) == {"sub-2": "E_LEAK"}


def test_a_lesion_beside_a_plain_name_is_seen(tmp_path, frame, make_brain):
    volume = make_brain(0)
    write_map(tmp_path / "case.nii.gz", volume.voxels[0].numpy(), volume.grid)
    write_mask(tmp_path / "case_label-lesion_mask.nii.gz", volume.brain.numpy(), volume.grid)
    assert codes(inspect_to_learn(find_cohort([tmp_path]), frame)) == {"case": "E_LESION"}
