import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from slicenet.images.grid import Grid
from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from slicenet.images.stored import read_stored
from slicenet.images.write import write_map, write_mask

AFFINE = nib.affines.from_matvec(np.diag([-2.0, 1.5, 3.0]), (30, -40, 5))
SCORES = np.random.default_rng(0).normal(size=(7, 6, 5)).astype(np.float32)


def source(kind=nib.Nifti1Image, sform=1, qform=1, affine=AFFINE, shape=(7, 6, 5)):
    image = kind(np.ones(shape, np.int16), affine)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    header = image.header
    (
        header["descrip"],
        header["aux_file"],
        header["db_name" if "db_name" in header else "descrip"],
    ) = (b"Jane Doe", b"/home/jane", b"Jane Doe")
    header["intent_name"] = b"jane"
    header.set_slope_inter(0.5, 10)
    header.set_xyzt_units("mm", "sec")
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    return image


def written(tmp_path, image, scores=SCORES, name="map.nii.gz"):
    grid = Grid(image.shape, image.affine, image.header)
    write_map(tmp_path / name, grid.to_ras(scores), grid)
    return nib.load(tmp_path / name)


@pytest.mark.parametrize("name", ["map.nii.gz", "map.nii"])
def test_numbers_geometry_and_codes_are_those_of_the_source(tmp_path, name):
    image = source(sform=4, qform=2)
    made = written(tmp_path, image, name=name)
    assert np.array_equal(np.asarray(made.dataobj), SCORES)
    assert made.get_data_dtype() == np.float32
    assert np.array_equal(made.affine, image.affine)
    for form in ("get_sform", "get_qform"):
        (one, code), (two, wanted) = (getattr(i, form)(coded=True) for i in (made, image))
        assert np.array_equal(one, two)
        assert code == wanted
    opened = gzip.open if name.endswith("gz") else open
    with opened(tmp_path / name, "rb") as file:  # nibabel forgets the slope of what it has loaded
        header = nib.Nifti1Header.from_fileobj(file)
    assert header.get_slope_inter() == (1, 0)
    assert made.header.get_xyzt_units()[0] == "mm"
    assert made.header["cal_max"] == SCORES.max()
    assert made.header["cal_min"] == 0


def test_40_nothing_that_can_name_a_patient_is_copied(tmp_path):
    written(tmp_path, source())
    content = gzip.decompress((tmp_path / "map.nii.gz").read_bytes())
    assert b"jane" not in content.lower()
    assert len(content) == 352 + SCORES.nbytes


@pytest.mark.parametrize(("sform", "qform"), [(0, 1), (2, 0), (0, 0)])
def test_only_the_forms_of_the_source_are_written(tmp_path, sform, qform):
    made = written(tmp_path, source(sform=sform, qform=qform))
    assert (int(made.header["sform_code"]), int(made.header["qform_code"])) == (sform, qform)
    assert np.allclose(made.header.get_zooms(), (2, 1.5, 3))


def test_nifti2_stays_nifti2_and_masks_are_bytes(tmp_path):
    image = source(nib.Nifti2Image)
    grid = Grid(image.shape, image.affine, image.header)
    write_mask(tmp_path / "mask.nii.gz", grid.to_ras(SCORES) > 0, grid)
    made = nib.load(tmp_path / "mask.nii.gz")
    assert isinstance(made, nib.Nifti2Image)
    assert made.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(made.dataobj), SCORES > 0)


def test_without_a_source_header_the_affine_is_all(tmp_path):
    grid = Grid(SCORES.shape, AFFINE)
    write_map(tmp_path / "map.nii.gz", grid.to_ras(SCORES), grid)
    made = nib.load(tmp_path / "map.nii.gz")
    assert np.allclose(made.affine, AFFINE)
    assert made.header["sform_code"] == 1


def test_units_of_the_source_become_millimetres(tmp_path):
    image = source(shape=(40, 48, 40), affine=np.diag([4000.0, 4000.0, 4000.0, 1.0]))
    image.header.set_xyzt_units("micron", "sec")
    values = np.random.default_rng(1).integers(100, 900, image.shape).astype(np.int16)
    nib.save(nib.Nifti1Image(values, None, image.header), tmp_path / "micron.nii.gz")
    read = read_image(tmp_path / "micron.nii.gz")
    write_map(tmp_path / "map.nii.gz", read.grid.to_ras(read.voxels), read.grid)
    made = nib.load(tmp_path / "map.nii.gz")
    assert made.header.get_xyzt_units() == ("mm", "sec")
    assert np.allclose(made.header.get_zooms(), 4)
    assert np.allclose(made.get_qform(), made.get_sform())


def test_the_same_map_gives_the_same_bytes(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        written(tmp_path, source(), name=name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_our_reader_finds_nothing_odd_and_itk_the_same_voxels(tmp_path):
    written(tmp_path, source())
    assert read_stored(tmp_path / "map.nii.gz", ReadOptions()).notices == ()
    itk = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "map.nii.gz")))
    assert np.array_equal(itk.T, SCORES)


def test_a_nan_in_a_map_is_a_bug(tmp_path):
    with pytest.raises(AssertionError):
        written(tmp_path, source(), np.full_like(SCORES, np.nan))
    assert not list(tmp_path.iterdir())
