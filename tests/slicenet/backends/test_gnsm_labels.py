import nibabel as nib
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from slicenet import load
from slicenet.backends.gnsm_labels import GnsmLabels
from slicenet.checkpoint import Model, save
from slicenet.cohort import Query, find_cohort
from slicenet.commands import main
from slicenet.config import overlay
from slicenet.errors import ConfigError
from slicenet.recipe import resolve

TINY = {
    "frame": {"box": [128, 160, 144], "spacing": [4, 4, 4]},
    "categories": {"cell": 8},
    "gnsm": {
        "ladder": {"levels": 2},
        "network": {"width": 12, "dilations": [1, 2]},
        "course": {"steps": 120, "batch": 2, "rate": 5e-3},
        "window": 8,
    },
}
LABELS = np.array([2, 41, 1005, 2035, 4])


def segmentation(folder, seed, fault=False):
    """A label map of 3 mm, its parts along x and y moved a little; on disk as int16."""
    draws = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*(np.linspace(-1.15, 1.15, size) for size in (44, 52, 40)), indexing="ij")
    shift = draws.normal(0, 0.03, 3)
    part = np.where(x + shift[0] > 0, 1, 0) + 2 * (y + shift[1] > 0.1)
    part = np.where(x**2 + y**2 + (z + shift[2]) ** 2 < 0.1, 4, part)
    voxels = np.where(x**2 + y**2 + z**2 < 1, LABELS[part], 0)
    if fault:
        voxels[28:36, 30:38, 16:24] = 2
    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = -3 * (np.array(voxels.shape) - 1) / 2
    path = folder / f"sub-{seed}_dseg.nii.gz"
    nib.save(nib.Nifti1Image(voxels.astype(np.int16), affine), path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    for seed in range(8):
        segmentation(folder, seed)
    cohort = find_cohort([folder], query=Query(labels=True))
    torch.manual_seed(0)
    backend = overlay(GnsmLabels(), TINY)
    detector = backend.build()
    detector.fit(cohort.select(range(6)))
    detector.calibrate(cohort.select(range(6, 8)))
    path = folder / "model.safetensors"
    save(path, Model(detector, "gnsm-labels", backend))
    return path


def test_a_segmentation_comes_in_and_a_map_of_its_faults_goes_out(model, tmp_path):
    (data := tmp_path / "data").mkdir()
    sick = segmentation(data, 90, fault=True)
    (data / "sub-90_T1w.nii.gz").write_bytes(b"passed over")
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["score", str(model), str(data), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "W_LOW_LEVELS" not in done.output
    (written,) = out.rglob("*heatmap.nii.gz")
    image, source = nib.load(written), nib.load(sick)
    assert image.shape == source.shape
    assert np.allclose(image.affine, source.affine)
    scores, brain = image.get_fdata(), np.asarray(source.dataobj) != 0
    fault = np.zeros(scores.shape, bool)
    fault[29:35, 31:37, 17:23] = True
    assert scores[fault & brain].mean() > 2 * scores[brain & ~fault].mean()
    assert (scores[~brain] == 0).all()


def test_a_faulty_segmentation_scores_higher_as_a_whole(model, tmp_path):
    detector = load(model)
    well = [detector.score(segmentation(tmp_path, seed)).volume_score for seed in range(20, 24)]
    ill = [detector.score(segmentation(tmp_path, seed, True)).volume_score for seed in (20, 21)]
    assert min(ill) > max(well)


def test_no_label_is_mixed_from_others_on_its_way_in(tmp_path):
    volume = find_cohort([segmentation(tmp_path, 0)], query=Query(labels=True))[0]
    frame = overlay(GnsmLabels(), TINY).build().frame
    framed = frame.enter(volume)
    assert set(framed.voxels[0][framed.brain].unique().tolist()) <= {0.0, *map(float, LABELS)}
    assert set(volume.voxels[0][volume.brain].unique().tolist()) == set(map(float, LABELS))


@pytest.mark.parametrize(
    "wrong",
    [{"categories": {"levels": 8}}, {"frame": {"intensity": "robust"}},
     {"frame": {"intensity": "histogram"}}],
)  # fmt: skip
def test_levels_go_with_intensities_and_labels_with_labels(wrong):
    with pytest.raises(ConfigError, match=r"frame\.intensity=robust"):
        overlay(GnsmLabels(), wrong)
    both = overlay(GnsmLabels(), {"categories": {"levels": 8}, "frame": {"intensity": "core"}})
    assert both.build().extractor.settings.levels == 8


def test_no_preset_hides_nothing():
    small, published = (resolve(f"gnsm-labels-{name}").backend for name in ("small", "published"))
    assert published.gnsm.ladder.levels == 20
    assert not published.gnsm.ladder.published
    assert not small.gnsm.ladder.published
    assert small.frame.intensity == published.frame.intensity == "labels"
