import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image

from slicenet.calibration import Calibrator
from slicenet.errors import CheckpointError
from slicenet.scoring import AnomalyMap, worst
from slicenet.volume import read_volume
from tests.heads import head, save


@pytest.fixture
def anomalies(make_brain):
    volume = make_brain(0)
    scores = (
        torch.randn(volume.brain.shape, generator=torch.Generator().manual_seed(1)) * volume.brain
    )
    calibrator = Calibrator()
    for shift in range(9):
        calibrator.add(scores[volume.brain].numpy() + shift * 1e-3, float(shift))
    return AnomalyMap(scores, volume, 4.5, calibrator.finish())


def test_the_worst_share_is_the_mean_of_the_highest_scores(anomalies):
    inside = np.sort(anomalies.scores[anomalies.brain].numpy())[::-1]
    wanted = inside[: int(0.02 * len(inside))].mean(dtype=np.float64)
    assert anomalies.worst(0.02) == pytest.approx(wanted)
    assert worst(anomalies.scores, anomalies.brain, 1e-9) == pytest.approx(inside[0])


def test_a_mask_holds_the_calibrated_share_and_stays_in_the_brain(anomalies):
    mask = anomalies.mask("fpr:0.05")
    assert mask[anomalies.brain].float().mean() == pytest.approx(0.05, abs=0.01)
    assert not mask[~anomalies.brain].any()
    assert anomalies.mask("value:1e9").sum() == 0


def test_without_a_calibration_only_plain_values_mean_something(anomalies):
    bare = AnomalyMap(anomalies.scores, anomalies.volume, 1.0)
    assert bare.mask("value:0").any()
    assert np.isnan(bare.p_value)
    with pytest.raises(CheckpointError, match="never calibrated"):
        bare.mask()


def test_what_is_written_lies_on_the_grid_of_the_volume(anomalies, tmp_path):
    anomalies.write(tmp_path / "map.nii.gz")
    anomalies.write_mask(tmp_path / "mask.nii.gz", "value:1")
    read = nib.load(tmp_path / "map.nii.gz")
    assert np.array_equal(np.asarray(read.dataobj), anomalies.scores.numpy())
    assert np.allclose(read.affine, anomalies.volume.affine)
    mask = np.asarray(nib.load(tmp_path / "mask.nii.gz").dataobj)
    assert np.array_equal(mask, anomalies.mask("value:1").numpy().astype(np.uint8))


def test_a_notebook_shows_the_map_with_its_numbers(anomalies):
    shown = anomalies._repr_html_()
    assert "data:image/png;base64," in shown
    assert "p = 0.5 among 9 healthy" in shown
    assert "http" not in shown


def test_the_squashed_view_keeps_the_order_of_one_brain(anomalies):
    shown, brain = anomalies.squashed, anomalies.brain
    assert shown.shape == brain.shape
    assert ((shown >= 0) & (shown <= 1)).all()
    order = anomalies.scores[brain].argsort()
    assert (shown[brain][order].diff() >= 0).all()


def test_a_map_of_a_picture_is_written_as_a_picture_as_it_lies_in_its_file(tmp_path):
    grey, truth = head(1, lesion=True)
    volume = read_volume([save(tmp_path / "a.png", grey)], "a")
    scores = volume.voxels[0] * volume.brain
    anomalies = AnomalyMap(scores, volume, 1.0)
    anomalies.write_pictures(tmp_path / "map.png", tmp_path / "mask.png", "value:170")
    with Image.open(tmp_path / "map.png") as shown, Image.open(tmp_path / "mask.png") as mask:
        assert shown.size == mask.size == (65, 75)
        marked = np.asarray(mask) > 0
    inside = volume.grid.from_ras(volume.brain.numpy())[..., 0].T
    np.testing.assert_array_equal(marked, (grey > 170) & inside)
    assert (marked & truth).any()
    assert anomalies._repr_png_()[:4] == b"\x89PNG"
    anomalies.write_pictures(tmp_path / "map.png", tmp_path / "mask.png")
    assert not (tmp_path / "mask.png").exists()
