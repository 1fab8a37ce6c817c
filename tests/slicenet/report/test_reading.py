import shutil

import nibabel as nib
import numpy as np
import pytest

from slicenet.cohort import find_cohort
from slicenet.files import digest
from slicenet.metrics.truths import find_truths
from slicenet.report.folder import read_folder
from slicenet.report.reading import Sources, read_layers


def first(made, images=None):
    found = read_folder(made.folder)
    truths = find_truths(made.data, found.maps.files)
    sources = Sources(made.folder, images or {}, truths, found.options)
    return read_layers(found.entries[0], sources)


def test_all_layers_lie_on_one_grid_as_they_were_written(out):
    layers, notices = first(out)
    assert notices == ()
    np.testing.assert_array_equal(layers.brain, out.brain)
    np.testing.assert_array_equal(layers.truth, out.truth)
    np.testing.assert_array_equal(layers.scores, out.scores["sub-1"])
    np.testing.assert_allclose(layers.image, out.images["sub-1"], rtol=1e-6)


def test_an_image_stored_in_another_order_is_turned(make_out, tmp_path):
    made = make_out(tmp_path)
    path = next(made.data.rglob("sub-1_T1w.nii.gz"))
    turned = nib.load(path).as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    nib.save(turned, path)
    told = read_folder(made.folder).entries[0].sidecar["sources"][0]
    place = next(made.folder.rglob("sub-1*heatmap.json"))
    place.write_text(place.read_text().replace(told["sha256"], digest(path)))
    layers, notices = first(made)
    assert notices == ()
    np.testing.assert_allclose(layers.image, made.images["sub-1"], rtol=1e-6)


def test_a_changed_or_missing_image_is_not_shown_and_it_is_said_why(make_out, tmp_path):
    made = make_out(tmp_path)
    path = next(made.data.rglob("sub-1_T1w.nii.gz"))
    path.write_bytes(path.read_bytes() + b"!")
    layers, notices = first(made)
    assert layers.image is None
    assert "SHA-256 differs" in notices[0].message
    path.unlink()
    layers, notices = first(made)
    assert layers.image is None
    assert "--images" in notices[0].message
    assert notices[0].code == "W_NO_IMAGE"


def test_images_that_were_moved_are_found_where_they_are_named(make_out, tmp_path):
    made = make_out(tmp_path)
    shutil.copytree(made.data, tmp_path / "moved")
    for image in made.data.rglob("*_T1w.nii.gz"):
        image.write_bytes(b"junk")
    cases = {case.name: case for case in find_cohort([tmp_path / "moved"]).cases}
    layers, notices = first(made, cases)
    assert notices == ()
    np.testing.assert_allclose(layers.image, made.images["sub-1"], rtol=1e-6)


@pytest.mark.parametrize("content", [b"", b"<html>"])
def test_a_truth_that_cannot_be_read_is_told_of(make_out, tmp_path, content):
    made = make_out(tmp_path)
    next(made.data.rglob("*_label-lesion_mask.nii.gz")).write_bytes(content)
    layers, notices = first(made)
    assert layers.truth is None
    assert [one.code for one in notices] == ["W_TRUTH"]
