"""Pictures from the command line, the whole way: train, score and evaluate."""

import json

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from slicenet.checkpoint import read
from slicenet.commands import main
from slicenet.images.write import write_map
from tests.heads import SHAPE, head, save

TINY = (
    '--set=slices.backbone.name="test_resnet"', '--set=slices.backbone.weights="random"',
    '--set=slices.backbone.precision="float32"', "--set=slices.neighbourhood.width=8",
    '--set=slices.read=["intensity"]', '--set=slices.finetune.method="none"',
    "--set=slices.finer=1", "--set=flow.course.steps=30", "--set=flow.course.batch=256",
    "--set=frame.spacing=[3.0,3.0,1.0]",
)  # fmt: skip


def slicenet(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def br35h(tmp_path_factory):
    top = tmp_path_factory.mktemp("Br35H")
    for index in range(8):
        save(top / f"no/no{index}.jpg", np.repeat(head(index)[0][..., None], 3, -1))  # as RGB
    for index in range(2):
        save(top / f"yes/y{index}.jpg", head(100 + index, lesion=True)[0])
    return top


@pytest.fixture(scope="module")
def bottle(tmp_path_factory):
    top = tmp_path_factory.mktemp("mvtec") / "bottle"
    for index in range(8):
        save(top / f"train/good/{index:03}.png", head(index)[0] + 20)
    save(top / "test/good/000.png", head(50)[0] + 20)
    for index in range(2):
        grey, truth = head(200 + index, lesion=True)
        save(top / f"test/broken_large/{index:03}.png", grey + 20)
        mask = truth.astype(np.uint8) * 255
        save(top / f"ground_truth/broken_large/{index:03}_mask.png", mask)
    return top


@pytest.fixture(scope="module")
def maps(bottle, tmp_path_factory):
    """The test pictures of a kind, scored by a z-score that learnt from its training ones."""
    out = tmp_path_factory.mktemp("run")
    done = slicenet("train", bottle, "--backend", "zscore", "--out", out / "run")
    assert done.exit_code == 0, done.output
    assert "left out 3 of 11, group healthy (for testing), lesioned" in done.stderr
    assert "fitted on 4 volumes, calibrated on 4 others" in done.stdout
    done = slicenet("score", out / "run", bottle, "--role", "test", "--out", out / "maps")
    assert done.exit_code == 0, done.output
    return out / "maps"


def test_a_picture_is_framed_in_one_slice_and_the_recipe_says_why(maps):
    run = maps.parent / "run"
    assert read(run).detector.frame.shape == (240, 240, 1)
    assert "box = [240.0, 240.0, 1.0]  # pictures" in (run / "config.toml").read_text()


def test_maps_and_masks_can_be_opened_as_nifti_and_as_pictures(maps, bottle):
    name = "bottle_test_broken_large_000"
    stem = str(maps / name / name)
    scores = nib.load(f"{stem}_desc-anomaly_heatmap.nii.gz")
    assert scores.shape == (*SHAPE[::-1], 1)
    assert scores.get_data_dtype() == np.float32
    mask = np.asarray(Image.open(f"{stem}_label-anomaly_mask.png")) > 0
    stored = nib.load(f"{stem}_label-anomaly_mask.nii.gz").get_fdata()[..., 0].T > 0
    assert np.array_equal(mask, stored)
    truth = np.asarray(Image.open(bottle / "ground_truth/broken_large/000_mask.png")) > 0
    assert (mask & truth).sum() > 0.9 * truth.sum()
    with Image.open(f"{stem}_desc-anomaly_heatmap.png") as overlay:
        assert (overlay.size, overlay.mode) == (SHAPE[::-1], "RGB")


def test_masks_that_are_pictures_judge_maps_of_pictures(maps, bottle, tmp_path):
    words = ("--bootstrap", 20, "--json", "--out", tmp_path)
    done = slicenet("evaluate", maps, "--truth", bottle, *words)
    assert done.exit_code == 0, done.output
    figures = {row["figure"]: row["value"] for row in json.loads(done.stdout)["figures"]}
    assert figures["average_precision"] > 0.9
    for index in range(2):
        mask = (bottle / f"ground_truth/broken_large/{index:03}_mask.png").read_bytes()
        (tmp_path / f"bottle_test_broken_large_{index:03}_mask.png").write_bytes(mask)
    done = slicenet("evaluate", maps, "--truth", tmp_path, *words)
    plain = {row["figure"]: row["value"] for row in json.loads(done.stdout)["figures"]}
    assert plain["average_precision"] == pytest.approx(figures["average_precision"])


def test_scoring_again_does_nothing_and_a_lost_picture_is_made_again(maps, bottle):
    words = ("score", maps.parent / "run", bottle, "--role", "test", "--out", maps)
    assert "0 scored, 3 already there" in slicenet(*words).stdout
    next(maps.rglob("*_heatmap.png")).unlink()
    assert "1 scored, 2 already there" in slicenet(*words).stdout


def test_a_small_network_learns_and_scores_pictures(br35h, tmp_path):
    words = ("--backend", "simpleslicenet", *TINY, "--out", tmp_path / "run")
    done = slicenet("train", br35h / "no", *words)
    assert done.exit_code == 0, done.output
    done = slicenet("score", tmp_path / "run", br35h / "yes", "--out", tmp_path / "maps")
    assert done.exit_code == 0, done.output
    for name in ("y0", "y1"):
        grey, truth = head(100 + int(name[1]), lesion=True)
        path = tmp_path / f"maps/{name}/{name}_desc-anomaly_heatmap.nii.gz"
        scores = nib.load(path).get_fdata()[..., 0].T
        assert scores[truth].mean() > scores[(grey > 20) & ~truth].mean()


@pytest.mark.parametrize("words", [("simclr-small",), ("quick", "--set=slices.planes=joined")])
def test_what_needs_depth_says_so_in_one_line(br35h, tmp_path, words):
    done = slicenet("train", br35h / "no", "--backend", *words, "--out", tmp_path)
    assert done.exit_code == 2
    assert "[E_FLAT]" in done.stderr
    assert "Traceback" not in done.stderr


def test_volumes_are_not_scored_by_a_model_of_pictures(maps, make_brain, tmp_path):
    brain = make_brain(0)
    write_map(tmp_path / "scan.nii.gz", brain.voxels[0].numpy(), brain.grid)
    run = maps.parent / "run"
    done = slicenet("score", run, tmp_path / "scan.nii.gz", "--out", tmp_path / "maps")
    assert done.exit_code == 4
    assert "is a volume, and the model looks at pictures" in done.stderr


def test_all_of_a_picture_is_looked_at_where_that_is_asked_for(br35h):
    done = slicenet("check", br35h / "yes/y0.jpg", "--json")
    head_only = json.loads(done.stdout)["cases"][0]["facts"]["brain_ml"]
    done = slicenet("check", br35h / "yes/y0.jpg", "--whole-picture", "--json")
    whole = json.loads(done.stdout)["cases"][0]["facts"]["brain_ml"]
    assert 0 < head_only < whole
    assert whole == pytest.approx(75 * 65 * (230 / 75) ** 2 / 1000)


def test_a_picture_is_not_prepared(br35h, tmp_path):
    done = slicenet("prepare", br35h / "yes", tmp_path / "out")
    assert done.exit_code == 4
    assert "E_FLAT" in done.stderr
