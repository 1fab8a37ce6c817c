"""Brains on disk, for all that reads a cohort."""

import pytest

from slicenet.images.write import write_map, write_mask


@pytest.fixture(scope="session")
def brains(make_brain, tmp_path_factory):
    """A BIDS folder: eight healthy brains and two lesioned ones with truth."""
    root = tmp_path_factory.mktemp("brains")
    rows = ["participant_id\tgroup"]
    for index in range(10):
        lesioned = index >= 8
        volume, name = make_brain(index, lesion=lesioned), f"sub-{index:02d}"
        stem = root / name / "anat" / name
        write_map(stem.with_name(f"{name}_T1w.nii.gz"), volume.voxels[0].numpy(), volume.grid)
        if lesioned:
            truth = volume.brain.numpy() & False
            truth[24:30, 24:30, 16:22] = True
            write_mask(stem.with_name(f"{name}_label-lesion_mask.nii.gz"), truth, volume.grid)
        rows.append(f"{name}\t{'lesioned' if lesioned else 'healthy'}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    return root
