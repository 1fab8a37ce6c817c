import gzip
import itertools
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import ConfigError
from slicenet.images.grid import Grid
from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from slicenet.images.write import header_for, write_labels, write_map, write_mask

SHAPE = (12, 9, 7)
VOXELS = np.random.default_rng(0).integers(0, 900, SHAPE).astype(np.int16)
VOXELS[:2] = 0
COS, SIN = np.cos(np.pi / 6), np.sin(np.pi / 6)
OBLIQUE = np.array(
    [[2 * COS, -2 * SIN, 0, 11.3], [2 * SIN, 2 * COS, 0, -7.7], [0, 0, 3, 5.1], [0, 0, 0, 1]]
)
FORMS = [(1, 1), (0, 1), (1, 0), (4, 1), (2, 3), (0, 4)]  # sform, qform


def source(folder, sform=1, qform=1, affine=OBLIQUE, kind=nib.Nifti1Image, units="mm"):
    image = kind(VOXELS, affine)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    image.header.set_xyzt_units(units, "sec")
    path = folder / "in.nii.gz"
    nib.save(image, path)
    return path


def scores_on(grid):
    return grid.to_ras(np.random.default_rng(1).normal(size=grid.shape).astype(np.float32))


def written(grid, folder, name="map.nii.gz"):
    write_map(folder / name, scores_on(grid), grid)
    return nib.load(folder / name)


@pytest.mark.parametrize(("sform", "qform"), FORMS)
def test_both_affines_keep_their_codes_to_the_last_bit(tmp_path, sform, qform):
    before = nib.load(source(tmp_path, sform, qform)).header
    after = written(read_image(tmp_path / "in.nii.gz").grid, tmp_path).header
    assert (int(after["sform_code"]), int(after["qform_code"])) == (sform, qform)
    assert np.array_equal(after["pixdim"][:4], before["pixdim"][:4])
    if sform:
        assert np.array_equal(after.get_sform(), before.get_sform())
    if qform:
        assert np.array_equal(after.get_qform(), before.get_qform())


def test_qform_and_sform_that_disagree_both_stay(tmp_path):
    image = nib.load(source(tmp_path))
    other = OBLIQUE.copy()
    other[:3, 3] += 40
    image.set_qform(other, 2)
    nib.save(image, tmp_path / "two.nii.gz")
    after = written(read_image(tmp_path / "two.nii.gz").grid, tmp_path)
    assert np.allclose(after.affine, OBLIQUE, atol=1e-5)
    assert np.allclose(after.get_qform(), other, atol=1e-4)


def test_a_qform_that_is_no_rotation_is_left_out(tmp_path):
    grid = read_image(source(tmp_path)).grid
    header = grid.header.copy()
    header["quatern_b"] = 2
    after = written(Grid(grid.shape, grid.affine, header), tmp_path).header
    assert int(after["qform_code"]) == 0
    assert np.array_equal(after.get_sform(), grid.affine)


def test_a_file_that_said_nothing_about_orientation_still_says_nothing(tmp_path):
    path = source(tmp_path, 0, 0)
    grid = read_image(path, ReadOptions(assume_ras=True)).grid
    after = written(grid, tmp_path).header
    assert (int(after["sform_code"]), int(after["qform_code"])) == (0, 0)
    assert np.allclose(after.get_zooms(), (2, 2, 3))


@pytest.mark.parametrize(("units", "after"), [("mm", 2), ("unknown", 0), ("micron", 2)])
def test_42_units_are_those_of_the_numbers(tmp_path, units, after):
    scale = np.diag([1000.0, 1000, 1000, 1]) if units == "micron" else np.eye(4)
    read = read_image(source(tmp_path, affine=scale @ OBLIQUE, units=units))
    header = written(read.grid, tmp_path).header
    assert int(header["xyzt_units"]) == after + 8  # seconds
    assert np.allclose(header.get_sform(), OBLIQUE, atol=1e-4)
    assert np.allclose(header.get_zooms(), (2, 2, 3))


def test_40_nothing_that_may_name_a_patient_is_copied(tmp_path):
    image = nib.load(source(tmp_path))
    for field in ("descrip", "aux_file", "db_name", "intent_name"):
        image.header[field] = b"DOE^JANE"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE"))
    nib.save(image, tmp_path / "jane.nii.gz")
    written(read_image(tmp_path / "jane.nii.gz").grid, tmp_path)
    content = (tmp_path / "map.nii.gz").read_bytes()
    assert b"DOE" in gzip.decompress((tmp_path / "jane.nii.gz").read_bytes())
    assert b"DOE" not in gzip.decompress(content)
    assert len(gzip.decompress(content)) == 352 + 4 * VOXELS.size


def test_a_map_is_float_without_scaling_and_shows_its_range(tmp_path):
    grid = read_image(source(tmp_path)).grid
    image = written(grid, tmp_path)
    assert image.get_data_dtype() == np.float32
    assert (image.dataobj.slope, image.dataobj.inter) == (1, 0)
    assert float(image.header["cal_min"]) == 0
    assert float(image.header["cal_max"]) == scores_on(grid).max()
    write_map(tmp_path / "low.nii", scores_on(grid) - 100, grid)
    assert float(nib.load(tmp_path / "low.nii").header["cal_max"]) == 0  # says nothing


def test_a_mask_is_of_bytes(tmp_path):
    grid = read_image(source(tmp_path)).grid
    write_mask(tmp_path / "mask.nii.gz", scores_on(grid) > 0, grid)
    image = nib.load(tmp_path / "mask.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert np.array_equal(grid.to_ras(np.asarray(image.dataobj)), scores_on(grid) > 0)


def test_labels_are_bytes_and_more_than_a_byte_holds_is_a_bug(tmp_path):
    grid = read_image(source(tmp_path)).grid
    labels = np.arange(scores_on(grid).size).reshape(scores_on(grid).shape) % 256
    write_labels(tmp_path / "labels.nii.gz", labels, grid)
    image = nib.load(tmp_path / "labels.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert np.array_equal(grid.to_ras(np.asarray(image.dataobj)), labels)
    for wrong in (labels + 1, labels - 1):
        with pytest.raises(AssertionError, match="byte"):
            write_labels(tmp_path / "labels.nii.gz", wrong, grid)


def test_any_of_48_orders_is_written_as_it_was_stored(tmp_path):
    image = nib.load(source(tmp_path))
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            turned = image.as_reoriented(np.column_stack([order, flips]))
            nib.save(turned, tmp_path / "turned.nii")
            stored = read_image(tmp_path / "turned.nii")
            write_map(tmp_path / "map.nii", stored.grid.to_ras(stored.voxels), stored.grid)
            after = nib.load(tmp_path / "map.nii")
            assert np.array_equal(np.asarray(after.dataobj), np.asarray(turned.dataobj))
            assert np.array_equal(after.affine, nib.load(tmp_path / "turned.nii").affine)


def test_nifti_2_stays_nifti_2_and_long_axes_need_it(tmp_path):
    grid = read_image(source(tmp_path, kind=nib.Nifti2Image)).grid
    assert isinstance(written(grid, tmp_path), nib.Nifti2Image)
    long = Grid((2**15, 2, 1), OBLIQUE, read_image(source(tmp_path)).grid.header)
    image = written(long, tmp_path)
    assert isinstance(image, nib.Nifti2Image)
    assert np.array_equal(image.affine, OBLIQUE.astype(np.float32))


def test_a_grid_without_a_header_is_a_scanners(tmp_path):
    header = written(Grid(SHAPE, OBLIQUE), tmp_path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    assert int(header["xyzt_units"]) == 2
    assert np.allclose(header.get_qform(), OBLIQUE, atol=1e-5)
    sheared = OBLIQUE + np.eye(4)[[1, 0, 2, 3]] * 0.2
    header = header_for(Grid(SHAPE, sheared), np.dtype(np.float32))
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)


def test_the_affine_is_believed_where_its_header_tells_of_another_place(tmp_path):
    header = read_image(source(tmp_path)).grid.header
    assert np.allclose(written(Grid(SHAPE, np.eye(4), header), tmp_path).affine, np.eye(4))


def test_an_mgz_becomes_nifti_in_the_same_place(tmp_path):
    nib.save(nib.MGHImage(VOXELS, OBLIQUE), tmp_path / "in.mgz")
    stored = read_image(tmp_path / "in.mgz")
    image = written(stored.grid, tmp_path)
    assert int(image.header["sform_code"]) == 1
    assert np.allclose(image.affine, OBLIQUE, atol=1e-4)


def test_the_same_map_gives_the_same_bytes_and_hides_when_and_where(tmp_path):
    grid = Grid(SHAPE, OBLIQUE)
    for folder in ("one", "two"):
        written(grid, tmp_path / folder, f"{folder}.nii.gz")
    one, two = (tmp_path / n / f"{n}.nii.gz" for n in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()[3:8] == bytes(5)  # no name, no time


def test_a_nan_is_a_bug_and_leaves_the_file_before(tmp_path):
    grid = Grid(SHAPE, OBLIQUE)
    before = np.asarray(written(grid, tmp_path).dataobj)
    for bad in (np.nan, np.inf, -np.inf):
        broken = scores_on(grid)
        broken[0, 0, 0] = bad
        with pytest.raises(AssertionError):
            write_map(tmp_path / "map.nii.gz", broken, grid)
    assert np.array_equal(np.asarray(nib.load(tmp_path / "map.nii.gz").dataobj), before)
    assert [path.name for path in tmp_path.iterdir()] == ["map.nii.gz"]


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"as \.nii\.gz or \.nii"):
        write_map(tmp_path / "map.mgz", np.zeros(SHAPE), Grid(SHAPE, OBLIQUE))
    assert not list(tmp_path.iterdir())


def test_memory_stays_far_below_a_copy(tmp_path):
    grid = Grid((160, 160, 160), np.diag([-1.0, 1, 1, 1]))
    scores = np.zeros(grid.shape, np.float32)
    tracemalloc.start()
    write_map(tmp_path / "map.nii.gz", scores, grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < scores.nbytes / 10
