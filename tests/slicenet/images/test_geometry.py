import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.geometry import SPACES, place_mgh, place_nifti, place_picture
from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_files import outcomes
from tests.slicenet.images.brains import AFFINE, SHAPE, image

ASSUMED = ReadOptions(assume_ras=True)


def header(**fields) -> nib.Nifti1Header:
    made = image().header.copy()
    for name, value in fields.items():
        made[name] = value
    return made


def place(options=ReadOptions(), **fields):
    return place_nifti(header(**fields), SHAPE, options)


def refusal(**fields) -> VolumeError:
    with pytest.raises(VolumeError) as caught:
        place(**fields)
    return caught.value


def codes(found) -> list[str]:
    return [notice.code for notice in found.notices]


def test_b42_lengths_in_other_units_become_millimetres(tmp_path):
    assert outcomes(42, tmp_path) == ["E_UNITS", "W_UNITS", "W_UNITS"]
    for name in ("b42-units-micron.nii.gz", "b42-units-metre.nii.gz"):
        grid = read_image(tmp_path / name).grid
        np.testing.assert_allclose(grid.affine, AFFINE, rtol=1e-6)
        np.testing.assert_allclose(grid.header.get_sform(), AFFINE, rtol=1e-6)
        np.testing.assert_allclose(grid.header.get_qform(), AFFINE, rtol=1e-6)
        np.testing.assert_allclose(grid.header.get_zooms(), 4, rtol=1e-6)
        assert grid.header.get_xyzt_units() == ("mm", "unknown")


@pytest.mark.parametrize("units", [0, 2, 2 + 8, 2 + 24, 2 + 32, 0 + 16])
def test_units_of_time_and_no_units_are_taken_as_millimetres(units):
    assert codes(place(xyzt_units=units)) == []


@pytest.mark.parametrize("units", [4, 5, 6, 7, 64, 255])
def test_units_that_are_none_are_refused(units):
    assert refusal(xyzt_units=units).code == "E_UNITS"


def test_c43_without_orientation_a_file_is_refused_or_taken_as_ras(tmp_path):
    assert outcomes(43, tmp_path) == ["E_NO_ORIENTATION"]
    found = read_image(tmp_path / "c43-no-orientation.nii.gz", ASSUMED)
    assert [notice.code for notice in found.notices] == ["W_NO_ORIENTATION"]
    assert found.space == "none"
    np.testing.assert_array_equal(found.grid.affine[:3, :3], np.diag([4, 4, 4]))
    centre = found.grid.affine @ [*(np.array(SHAPE) - 1) / 2, 1]
    np.testing.assert_allclose(centre, [0, 0, 0, 1])


def test_assuming_ras_changes_nothing_where_the_file_knows():
    np.testing.assert_array_equal(place(ASSUMED).grid.affine, AFFINE)


def test_codes_that_do_not_exist_count_as_none():
    assert refusal(sform_code=9, qform_code=-1).code == "E_NO_ORIENTATION"


def test_c44_a_singular_sform_is_refused(tmp_path):
    assert outcomes(44, tmp_path) == ["E_AFFINE"]
    assert refusal(srow_x=[0, 0, 0, 0]).code == "E_AFFINE"


def test_c45_nan_in_the_geometry_is_refused(tmp_path):
    assert outcomes(45, tmp_path) == ["E_AFFINE"] * 2
    assert refusal(srow_x=[4, 0, 0, np.inf]).code == "E_AFFINE"
    assert refusal(pixdim=[1, 4, 4, np.inf, 1, 1, 1, 1]).code == "E_AFFINE"
    assert refusal(quatern_c=np.nan, sform_code=0).code == "E_AFFINE"


def test_c46_a_quaternion_that_turns_nothing_is_refused_if_it_is_used(tmp_path):
    assert outcomes(46, tmp_path) == ["E_AFFINE", "W_QFORM"]


def test_a_half_turn_that_was_rounded_is_still_a_half_turn():
    found = place(sform_code=0, quatern_b=1.0001)
    expected = header(sform_code=0, quatern_b=1).get_qform()
    np.testing.assert_allclose(found.grid.affine, expected, atol=1e-6)


def test_c47_forms_that_disagree_are_told_and_the_sform_is_used(tmp_path):
    assert outcomes(47, tmp_path) == ["W_QS_DISAGREE"] * 2
    apart = read_image(tmp_path / "c47-forms-apart.nii.gz")
    assert "disagree by 5 mm: used the sform" in apart.notices[0].message
    assert apart.grid.affine[0, 3] == AFFINE[0, 3] + 5
    mirrored = read_image(tmp_path / "c47-forms-mirrored.nii.gz")
    assert "mirrored" in mirrored.notices[0].message


@pytest.mark.parametrize(("moved", "expected"), [(0.99, []), (1.01, ["W_QS_DISAGREE"])])
def test_up_to_a_millimetre_the_forms_agree(moved, expected):
    assert codes(place(qoffset_x=AFFINE[0, 3] + moved)) == expected


def test_c48_a_sheared_sform_is_used_with_a_warning(tmp_path):
    assert outcomes(48, tmp_path) == ["W_SHEAR"]
    affine = read_image(tmp_path / "c48-sheared.nii.gz").grid.affine
    assert affine[0, 1] == np.float32(0.2)


def test_c50_an_oblique_image_keeps_its_angle(tmp_path):
    assert outcomes(50, tmp_path) == [""]
    path = tmp_path / "c50-oblique.nii.gz"
    np.testing.assert_array_equal(read_image(path).grid.affine, nib.load(path).affine)


def test_c51_anisotropic_voxels_are_usual(tmp_path):
    assert outcomes(51, tmp_path) == [""]
    grid = read_image(tmp_path / "c51-anisotropic.nii.gz").grid
    np.testing.assert_allclose(grid.spacing, [1, 1, 6])


def test_c53_voxels_of_impossible_size_are_refused_and_unusual_ones_told(tmp_path):
    assert outcomes(53, tmp_path) == ["E_SPACING", "W_SPACING", "E_SPACING"]
    with pytest.raises(VolumeError, match="are the units right"):
        read_image(tmp_path / "c53-voxels-of-100-mm.nii.gz")


def test_a_slice_without_thickness_gets_a_millimetre():
    made = header(pixdim=[1, 4, 4, 0, 0, 0, 0, 0], sform_code=0)
    found = place_nifti(made, (40, 48, 1), ReadOptions())
    np.testing.assert_allclose(found.grid.spacing, [4, 4, 1])
    assert codes(found) == ["W_SPACING"]
    assert refusal(pixdim=[1, 4, 4, 0, 0, 0, 0, 0], sform_code=0).code == "E_AFFINE"


def test_voxel_sizes_lose_their_sign_as_in_nibabel():
    made = header(pixdim=[1, -4, 4, 4, 1, 1, 1, 1], sform_code=0)
    checked = nib.Nifti1Header(made.binaryblock, check=True)
    found = place_nifti(made, SHAPE, ReadOptions())
    np.testing.assert_array_equal(found.grid.affine, checked.get_best_affine())
    assert codes(found) == ["W_SPACING"]


@pytest.mark.parametrize("sign", [0, 2, np.nan])
def test_a_handedness_that_is_none_is_taken_as_right(sign):
    found = place(pixdim=[sign, 4, 4, 4, 1, 1, 1, 1], sform_code=0)
    np.testing.assert_allclose(found.grid.affine, AFFINE)


def test_a_brain_kilometres_away_is_refused():
    assert refusal(srow_x=[4, 0, 0, 1e9]).code == "E_AFFINE"


@pytest.mark.parametrize(("code", "space"), SPACES.items())
def test_the_code_of_the_form_that_is_used_names_the_space(code, space):
    assert place(sform_code=code, qform_code=1).space == space
    assert place(sform_code=0, qform_code=code).space == space


def test_reading_a_header_does_not_change_it():
    rows = {f"srow_{axis}": 1000 * row for axis, row in zip("xyz", AFFINE, strict=False)}
    made = header(xyzt_units=3, pixdim=[0, -4000, 4000, 4000, 1, 1, 1, 1], **rows)
    before = made.binaryblock
    place_nifti(made, SHAPE, ReadOptions())
    assert made.binaryblock == before


def test_an_mgh_affine_passes_the_same_checks():
    with pytest.raises(VolumeError, match="singular"):
        place_mgh(np.diag([1.0, 1, 0, 1]), (1, 1, 0), SHAPE, ReadOptions())
    assert place_mgh(AFFINE, (4, 4, 4), SHAPE, ReadOptions()).space == "scanner"


def test_a_picture_runs_to_the_left_and_back_and_its_longer_side_is_a_head_wide():
    for columns, rows in ((200, 100), (100, 200)):
        found = place_picture(columns, rows)
        assert nib.aff2axcodes(found.grid.affine) == ("L", "P", "S")
        assert found.grid.shape == (columns, rows, 1)
        assert max(found.grid.spacing[:2] * found.grid.shape[:2]) == pytest.approx(230)
        ends = found.grid.affine @ np.array([[0, 0, 0, 1], [columns - 1, rows - 1, 0, 1]]).T
        assert ends[:3].sum(1) == pytest.approx(np.zeros(3))  # about the middle
