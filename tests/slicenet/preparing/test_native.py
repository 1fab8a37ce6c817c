import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from slicenet.errors import VolumeError
from slicenet.preparing.native import to_native
from slicenet.scoring import AnomalyMap
from slicenet.volume import Volume


@pytest.fixture
def prepared(tmp_path):
    """A map in MNI space, and the image beside whose name a sidecar tells of its scan."""
    brain = torch.zeros(20, 24, 20, dtype=torch.bool)
    brain[4:16, 4:20, 4:16] = True
    scores = torch.zeros(20, 24, 20)
    scores[6:10, 6:10, 6:10] = 5.0
    place = np.diag([2.0, 2.0, 2.0, 1.0])
    anomalies = AnomalyMap(scores, Volume(scores[None], brain, place, "a"), 5.0)
    # The scan is stored from back to front, and its voxels are twice as large.
    affine = np.array([[0.0, 4, 0, -9], [-4, 0, 0, 60], [0, 0, 4, 3], [0, 0, 0, 1]])
    shape = (14, 12, 12)
    turn = nib.orientations.inv_ornt_aff(nib.orientations.io_orientation(affine), shape)
    to_voxels = np.diag([0.25, 0.25, 0.25, 1.0])
    to_voxels[:3, 3] = 1, 2, 1
    record = {"shape": shape, "affine": affine.tolist(), "to_voxels": to_voxels.tolist()}
    (tmp_path / "a.json").write_text(json.dumps({"slicenet": {"native": record}}))
    return anomalies, tmp_path / "a.nii.gz", affine @ turn, to_voxels


def test_a_map_lies_on_the_grid_of_the_scan_where_its_brain_is(prepared):
    anomalies, image, affine, to_voxels = prepared
    found = to_native(anomalies, image)
    assert found.scores.shape == (12, 14, 12)  # in RAS order
    assert np.allclose(found.volume.affine, affine)
    assert found.volume.grid.shape == (14, 12, 12)
    highest = np.argwhere(found.scores.numpy() > 4).mean(0)
    wanted = to_voxels @ [15.0, 15.0, 15.0, 1.0]  # middle of the lesion, mm
    assert np.abs(highest - wanted[:3]).max() < 0.6
    litres = (found.brain.sum() * 64, anomalies.brain.sum() * 8)
    assert abs(litres[0] - litres[1]) < 0.15 * litres[1]
    assert found.volume_score == anomalies.volume_score


def test_a_map_does_not_fade_towards_the_rim_of_its_brain(prepared):
    anomalies, image, *_ = prepared
    flat = replace(anomalies, scores=3.0 * anomalies.brain)
    found = to_native(flat, image)
    assert torch.allclose(found.scores[found.brain], torch.tensor(3.0), atol=1e-5)
    assert (found.scores[~found.brain] == 0).all()


@pytest.mark.parametrize("content", ["", "{}", '{"slicenet": {"native": {"shape": [1, 2]}}}'])
def test_an_image_that_was_not_prepared_is_refused(prepared, content):
    anomalies, image, *_ = prepared
    image.with_name("a.json").write_text(content)
    with pytest.raises(VolumeError, match="nothing beside it tells") as caught:
        to_native(anomalies, image)
    assert caught.value.code == "E_NATIVE"
    assert "slicenet prepare" in caught.value.hint
