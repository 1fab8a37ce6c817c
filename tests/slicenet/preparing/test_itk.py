import nibabel as nib
import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from slicenet.preparing.itk import array_of, coarser, image_of, matrix_of, squared, transform_of

TURNED = np.eye(4)
TURNED[:3, :3] = Rotation.from_euler("xyz", (10, -20, 30), degrees=True).as_matrix() * [1, 2, 3]
TURNED[:3, 3] = 5, -6, 7


def test_an_image_lies_where_nibabel_and_itk_both_find_it(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, TURNED), tmp_path / "image.nii")
    read, made = sitk.ReadImage(tmp_path / "image.nii"), image_of(values, TURNED)
    for there, here in (
        (read.GetOrigin(), made.GetOrigin()),
        (read.GetSpacing(), made.GetSpacing()),
        (read.GetDirection(), made.GetDirection()),
    ):
        assert np.allclose(there, here, atol=1e-4)
    assert np.array_equal(array_of(made), values)
    assert np.array_equal(array_of(read), values)


def test_a_matrix_and_its_transform_move_places_alike():
    matrix = TURNED + 0.01
    matrix[3] = 0, 0, 0, 1
    for centre in (None, np.array([3.0, 4.0, -5.0])):
        transform = transform_of(matrix, centre)
        x, y, z = transform.TransformPoint((-1.0, -2.0, 3.0))  # LPS
        assert np.allclose([-x, -y, z], (matrix @ [1, 2, 3, 1])[:3])
        assert np.allclose(matrix_of(transform), matrix)


def test_a_square_affine_stays_and_a_sheared_one_gets_the_nearest():
    assert np.allclose(squared(TURNED), TURNED)
    sheared = TURNED.copy()
    sheared[:3, 1] += 0.2 * sheared[:3, 0]
    found = squared(sheared)
    axes = found[:3, :3] / np.linalg.norm(found[:3, :3], axis=0)
    assert np.allclose(axes.T @ axes, np.eye(3))
    assert np.allclose(
        np.linalg.norm(found[:3, :3], axis=0), np.linalg.norm(sheared[:3, :3], axis=0)
    )
    assert np.array_equal(found[:3, 3], sheared[:3, 3])


def test_blocks_are_averaged_and_their_middle_stays():
    values = np.arange(4 * 4 * 4, dtype=np.float32).reshape(4, 4, 4)
    image = image_of(values, np.diag([1.0, 1.0, 2.0, 1.0]))
    found = coarser(image, 2.0)
    assert np.allclose(array_of(found), values.reshape(2, 2, 2, 2, 4).mean((1, 3)))
    assert found.GetSpacing() == (2.0, 2.0, 2.0)
    assert found.GetOrigin() == (-0.5, -0.5, 0.0)
    assert coarser(image, 1.0) is image
