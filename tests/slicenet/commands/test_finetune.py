import json
import shlex

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from slicenet.checkpoint import read
from slicenet.extractors.tuned import read_origin
from slicenet.files import digest
from slicenet.locking import locked

TINY = (
    "--set", "frame.spacing=[4,4,4]", "--set", "slices.backbone.name=test_resnet",
    "--set", "slices.backbone.weights=random", "--set", "slices.neighbourhood.width=96",
    "--set", "slices.finetune.edc.steps=2", "--set", "slices.finetune.edc.batch=4",
    "--set", "slices.finetune.edc.blocks=1", "--set", "slices.finetune.each=4",
    "--set", "slices.finetune.folder.size=64", "--set", "slices.finetune.lesions.steps=2",
    "--set", "slices.finetune.lesions.batch=2", "--set", "slices.finetune.lesions.settle=1",
)  # fmt: skip
EDC = (*TINY, "--method", "edc")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rows, columns = (np.linspace(-1, 1, 80) for _ in range(2))
    inside = rows[:, None] ** 2 + columns**2 < 0.6
    for index in range(5):
        grey = np.random.default_rng(index).integers(60, 200, (80, 80)) * inside
        Image.fromarray(grey.astype(np.uint8)).save(root / f"no{index}.png")
    return root


@pytest.fixture(scope="module")
def weights(slicenet, brains, tmp_path_factory):
    out = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    done = slicenet("finetune", brains, *EDC, "--out", out)
    assert done.exit_code == 0, done.output
    return out, done


def test_the_file_says_what_taught_it_and_the_lesioned_did_not(weights, brains):
    out, done = weights
    origin = read_origin(out)
    assert (origin.method, origin.backbone.name, len(origin.files)) == ("edc", "test_resnet", 4)
    lesioned = {digest(next(brains.glob(f"sub-0{n}/anat/*_T1w.nii.gz"))) for n in (8, 9)}
    assert not lesioned & set(origin.files)
    assert "left out 2 of 10, group lesioned: sub-08, sub-09" in done.stderr
    assert "on 4 inputs, 4 volumes left unseen" in done.stdout


def told_words(done, data, run):
    """The words of the command that was told, for these data and this run folder."""
    told = next(line for line in done.stdout.splitlines() if line.startswith("use it: "))
    words = shlex.split(told.removeprefix("use it: slicenet "))
    return [{"DATA": str(data), "RUN": str(run)}.get(word, word) for word in words]


def test_the_command_that_it_tells_trains_with_the_weights(weights, slicenet, brains, tmp_path):
    out, done = weights
    trained = slicenet(*told_words(done, brains, tmp_path), "--set", "flow.course.steps=2")
    assert trained.exit_code == 0, trained.output
    model = read(tmp_path)
    assert model.backend.slices.finetune.method == "none"
    assert set(read_origin(out).files) <= set(model.origin.files)


def test_another_split_is_refused_for_it_would_calibrate_on_what_was_seen(
    weights, slicenet, brains, tmp_path
):
    brought = ("--set", f"slices.backbone.weights={weights[0]}")
    still = ("--set", "slices.finetune.method=none", "--set", "flow.course.steps=2", "--seed", 5)
    words = (*TINY, *brought, *still, "--out", tmp_path)
    done = slicenet("train", brains, "--backend", "simpleslicenet", *words)
    assert done.exit_code == 2
    assert "fine-tuned on them" in done.stderr


def test_the_same_command_writes_the_same_bytes_where_it_may(weights, slicenet, brains, tmp_path):
    again = tmp_path / "again.safetensors"
    assert slicenet("finetune", brains, *EDC, "--out", again).exit_code == 0
    assert again.read_bytes() == weights[0].read_bytes()
    refused = slicenet("finetune", brains, *EDC, "--out", again)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert slicenet("finetune", brains, *EDC, "--force", "--out", again).exit_code == 0


def test_seed_and_holdout_reach_the_file_and_what_is_told(slicenet, brains, tmp_path):
    options = ("--seed", 3, "--holdout", 0.6, "--json")
    done = slicenet("finetune", brains, *EDC, *options, "--out", tmp_path / "w.safetensors")
    summary = json.loads(done.stdout)
    assert (summary["fitted"], summary["held_out"], summary["decoder"]) == (3, 5, False)
    assert "--seed 3" in summary["use"]
    assert "train.holdout=0.6" in summary["use"]
    assert read_origin(tmp_path / "w.safetensors").seed == 3
    assert summary["sha256"] == digest(tmp_path / "w.safetensors")


def test_lesions_leave_a_decoder_that_a_model_reads(slicenet, brains, tmp_path):
    out = tmp_path / "w.safetensors"
    done = slicenet("finetune", brains, *TINY, "--method", "lesions", "--out", out)
    assert done.exit_code == 0, done.output
    assert read_origin(out).decodes
    words = told_words(done, brains, tmp_path / "run")
    trained = slicenet(*words, "--set", "flow.course.steps=2")
    assert trained.exit_code == 0, trained.output
    tensors = load_file(tmp_path / "run" / "model.safetensors")
    name = "decoder.head.weight"
    assert torch.equal(tensors[f"extractor.{name}"], load_file(out)[name])


def test_a_folder_of_pictures_is_known_as_such(slicenet, pictures, tmp_path):
    out = tmp_path / "w.safetensors"
    done = slicenet("finetune", pictures, *EDC, "--out", out)
    assert done.exit_code == 0, done.output
    assert len(read_origin(out).files) == 5
    assert "on 5 inputs\n" in done.stdout


def test_what_pictures_taught_is_taken_by_the_command_that_is_told(
    slicenet, brains, pictures, tmp_path
):
    done = slicenet("finetune", pictures, *EDC, "--out", tmp_path / "w.safetensors")
    trained = slicenet(*told_words(done, brains, tmp_path / "run"), "--set", "flow.course.steps=2")
    assert trained.exit_code == 0, trained.output


def test_pictures_beside_volumes_are_not_taken_unless_asked(slicenet, brains, pictures, tmp_path):
    out = tmp_path / "w.safetensors"
    words = ("finetune", brains, pictures, *EDC, "--json", "--out", out)
    assert json.loads(slicenet(*words).stdout)["fitted"] == 4
    assert json.loads(slicenet(*words, "--images", "--force").stdout)["fitted"] == 5


def test_pictures_know_no_split(slicenet, pictures, tmp_path):
    split = tmp_path / "split.tsv"
    split.write_text("subject\trole\na\tfit\n")
    words = ("finetune", pictures, *EDC, "--split", split, "--out", tmp_path / "w.safetensors")
    done = slicenet(*words)
    assert done.exit_code == 2
    assert "pictures are learnt from without a split" in done.stderr


def test_broken_pictures_are_named_and_the_exit_code_tells(slicenet, pictures, tmp_path):
    broken = tmp_path / "in" / "no9.png"
    broken.parent.mkdir()
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    words = ("finetune", pictures, broken, *EDC, "--json", "--out", tmp_path / "w.safetensors")
    done = slicenet(*words)
    assert done.exit_code == 3
    assert "left out no9.png" in done.stderr
    assert json.loads(done.stdout)["failed"][0]["code"] == "E_PICTURE"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--method", "none"), 2, "nothing to write"),
        (("--method", "tumours"), 2, "have edc, joint, lesions, none"),
        (("--set", 'slices.read=["decoder"]'), 2, "edc leaves no decoder"),
        (("--set", "slices.finetun.each=1"), 2, "did you mean finetune"),
        (("--participant-label", "08"), 4, "no healthy case"),
        (("--images",), 4, "no picture among"),
    ],
)
def test_what_cannot_be_done_is_refused(slicenet, brains, tmp_path, words, code, told):
    done = slicenet("finetune", brains, *EDC, *words, "--out", tmp_path / "w.safetensors")
    assert done.exit_code == code
    assert told in done.stderr
    assert not (tmp_path / "w.safetensors").exists()


def test_nothing_is_written_into_the_input_or_under_another_ending(slicenet, brains, tmp_path):
    inside = slicenet("finetune", brains, *EDC, "--out", brains / "w.safetensors")
    ending = slicenet("finetune", brains, *EDC, "--out", tmp_path / "w.pth")
    assert (inside.exit_code, ending.exit_code) == (2, 2)
    assert "lies inside the input" in inside.stderr
    assert "ends in .safetensors" in ending.stderr


def test_94_two_runs_into_one_file_are_refused(slicenet, brains, tmp_path):
    with locked(tmp_path, "w.safetensors"):
        second = slicenet("finetune", brains, *EDC, "--out", tmp_path / "w.safetensors")
    assert second.exit_code == 7
    assert "w.safetensors: another run writes here" in second.stderr
