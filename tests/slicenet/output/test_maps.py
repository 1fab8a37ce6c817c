import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from nilearn.image import load_img
from scipy import ndimage
from scipy.spatial.transform import Rotation

from slicenet.output.maps import Origin, remove_maps, wanted, write_maps
from slicenet.output.names import BRAIN, HEATMAP, MASK, PIECES, ended, sidecar
from slicenet.scoring import AnomalyMap
from slicenet.volume import read_volume


@pytest.fixture
def stem(tmp_path):
    return tmp_path / "out" / "sub-1" / "anat" / "sub-1"


@pytest.fixture
def origin(tmp_path):
    return Origin(("bids:raw:sub-1/a.nii",), "bids:raw:sub-1/a.nii", tmp_path / "out")


@pytest.fixture(scope="module")
def anomalies(model, make_brain):
    return model.detector.score(make_brain(5, lesion=True))


def test_pieces_are_those_of_the_mask(stem, origin, anomalies):
    write_maps(stem, anomalies, "fpr:0.01", origin)
    mask, pieces = (np.asarray(nib.load(ended(stem, each)).dataobj) for each in (MASK, PIECES))
    told = json.loads(ended(stem, sidecar(PIECES)).read_text())
    assert told["Found"] == ndimage.label(mask, np.ones((3, 3, 3)))[1]
    assert told["Kept"] == pieces.max() > 0
    kept = np.bincount(pieces.ravel())[1:]
    assert (np.diff(kept) <= 0).all()
    if told["Kept"] == told["Found"]:
        assert np.array_equal(pieces > 0, mask > 0)


def test_every_image_tells_what_it_is_made_of_and_where_it_lies(stem, origin, anomalies):
    write_maps(stem, anomalies, "fpr:0.01", origin)
    told = {each: json.loads(ended(stem, sidecar(each)).read_text()) for each in (BRAIN, MASK)}
    assert told[BRAIN]["Sources"] == ["bids:raw:sub-1/a.nii"]
    assert [told[each]["Type"] for each in (BRAIN, MASK)] == ["Brain", "ROI"]
    for source in told[MASK]["Sources"]:
        assert (origin.out / source.removeprefix("bids::")).is_file()
    assert {one["SpatialReference"] for one in told.values()} == {origin.space}
    assert "fpr:0.01" in told[MASK]["Description"]


def test_what_is_wanted_is_what_is_written(stem, origin, anomalies):
    for threshold in ("fpr:0.01", None):
        write_maps(stem, anomalies, threshold, origin)
        assert set(wanted(stem, threshold)) == set(stem.parent.iterdir())
    assert {path.name for path in stem.parent.iterdir()} == {
        f"sub-1{each}" for each in (HEATMAP, BRAIN, sidecar(BRAIN))
    }


TURNED = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])  # axes P, S, R
TILT = np.pad(Rotation.from_euler("zyx", (30, -20, 10), degrees=True).as_matrix(), (0, 1))
TILT[3, 3] = 1
TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
PLACES = {
    "permuted": TURNED @ np.diag([3.0, 3.0, 3.0, 1.0]),
    "oblique": TILT @ np.diag([2.0, 3.0, 4.0, 1.0]),
    "anisotropic": np.diag([-0.5, 0.5, 6.0, 1.0]),
}


@pytest.mark.parametrize("codes", [(1, 1), (1, 2), (4, 0), (0, 1)])  # of sform and qform
@pytest.mark.parametrize("place", PLACES)
def test_every_viewer_puts_every_image_where_the_input_is(tmp_path, stem, origin, place, codes):
    affine = PLACES[place].copy()
    affine[:3, 3] = (11.5, -23.25, 7)
    voxels = np.zeros((20, 18, 16), np.float32)
    voxels[4:16, 4:14, 4:12] = np.random.default_rng(0).uniform(50, 99, (12, 10, 8))
    source = nib.Nifti1Image(voxels, affine)
    source.set_sform(affine, codes[0])
    source.set_qform(affine, codes[1])
    source.header.set_xyzt_units("mm", "sec")
    nib.save(source, tmp_path / "a.nii.gz")
    volume = read_volume([tmp_path / "a.nii.gz"], "a")
    scores = torch.where(volume.brain, volume.voxels[0], 0.0)
    write_maps(stem, AnomalyMap(scores, volume, 1.0), "value:90", origin)
    itk = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    for ending in (HEATMAP, BRAIN, MASK, PIECES):
        path = str(ended(stem, ending))
        seen = nib.load(path)
        assert np.allclose(seen.affine, affine, atol=1e-4)
        assert np.allclose(load_img(path).affine, affine, atol=1e-4)
        assert (int(seen.header["sform_code"]), int(seen.header["qform_code"])) == codes
        if all(codes):
            assert np.allclose(seen.get_sform(), seen.get_qform(), atol=1e-4)
        assert seen.header.get_xyzt_units() == ("mm", "sec")
        window = float(seen.header["cal_min"]), float(seen.header["cal_max"])
        assert window == (0, np.asarray(seen.dataobj).max())
        other = sitk.ReadImage(path)
        assert other.GetSize() == voxels.shape
        assert np.allclose(other.GetOrigin(), itk.GetOrigin(), atol=1e-4)
        assert np.allclose(of_itk(other), TO_LPS @ affine, atol=1e-4)
        assert np.array_equal(sitk.GetArrayFromImage(other).T, np.asarray(seen.dataobj))
    heatmap = np.asarray(nib.load(ended(stem, HEATMAP)).dataobj)
    assert np.array_equal(np.asarray(nib.load(ended(stem, PIECES)).dataobj) > 0, heatmap > 90)


def of_itk(image):
    """From the indices of an image to millimetres as ITK has them, towards left, back, top."""
    matrix = np.eye(4)
    direction = np.reshape(image.GetDirection(), (3, 3))
    matrix[:3, :3] = direction * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def test_nothing_of_a_removed_map_stays(stem, origin, anomalies):
    write_maps(stem, anomalies, "fpr:0.01", origin)
    (stem.parent / "sub-10_desc-anomaly_heatmap.nii.gz").write_text("another's")
    remove_maps(stem)
    assert [path.name for path in stem.parent.iterdir()] == ["sub-10_desc-anomaly_heatmap.nii.gz"]
