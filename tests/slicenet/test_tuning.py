from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from slicenet import savepoint
from slicenet.backends.simpleslicenet import SimpleSliceNet
from slicenet.cache import Cache
from slicenet.cohort import find_cohort
from slicenet.errors import ConfigError
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.contrast import ContrastSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.picture_folder import PictureFolderSettings, find_pictures, read_pictures
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.extractors.tuned import write_tuned
from slicenet.files import digest
from slicenet.frame import FrameSettings
from slicenet.images.write import write_map
from slicenet.inspection import inspect_to_learn
from slicenet.scorers.flow_training import CourseSettings
from slicenet.training import TrainSettings, split, train
from slicenet.tuning import (
    check_method,
    leaves_no_decoder,
    remarks,
    tune_by_pictures,
    tune_by_volumes,
)

SLICES = SliceSettings(
    backbone=BackboneSettings(name="test_resnet", weights="random", precision="float32"),
    neighbourhood=NeighbourhoodSettings(width=96),
    finetune=FinetuneSettings(
        "edc", 4,
        edc=ContrastSettings(steps=2, batch=4, blocks=1),
        folder=PictureFolderSettings(size=64),
    ),
)  # fmt: skip
BACKEND = SimpleSliceNet(frame=FrameSettings(spacing=(4.0, 4.0, 4.0)), slices=SLICES)
LAYER = "layer3.0.conv1.weight"


@pytest.fixture(scope="module")
def usable(make_brain, tmp_path_factory):
    root = tmp_path_factory.mktemp("healthy")
    for index in range(7):
        volume = make_brain(index)
        write_map(root / f"h{index}.nii.gz", volume.voxels[0].numpy(), volume.grid)
    return inspect_to_learn(find_cohort([root]), BACKEND.build().frame)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rows, columns = (np.linspace(-1, 1, 80) for _ in range(2))
    inside = rows[:, None] ** 2 + columns**2 < 0.6
    for index in range(5):
        grey = np.random.default_rng(index).integers(60, 200, (80, 80)) * inside
        Image.fromarray(grey.astype(np.uint8)).save(root / f"no{index}.png")
    return read_pictures(find_pictures([root]), SLICES.finetune.folder)


def test_what_training_calibrates_on_stays_unseen(usable):
    settings = TrainSettings(seed=3)
    tuned = tune_by_volumes(BACKEND, usable, settings)
    fitted, held = split([case.name for case in usable.cohort.cases], settings)
    images = [case.images[0] for case in usable.cohort.cases]
    assert tuned.origin.files == tuple(digest(images[index]) for index in fitted)
    assert not {digest(images[index]) for index in held} & set(tuned.origin.files)
    assert (tuned.taught, tuned.held) == (3, 4)


def test_the_backbone_learns_and_is_frozen(usable):
    torch.manual_seed(0)
    before = SliceExtractor(SLICES).backbone.network.state_dict()[LAYER]
    tuned = tune_by_volumes(BACKEND, usable, TrainSettings())
    network = tuned.extractor.backbone.network
    assert not torch.equal(network.state_dict()[LAYER], before)
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert tuned.origin.method == "edc"
    assert not tuned.origin.decodes
    assert tuned.origin.settings["finetune"]["edc"]["steps"] == 2
    assert {"torch", "timm"} <= set(tuned.origin.versions)


def test_weights_train_a_model_with_the_same_split_and_are_refused_with_another(usable, tmp_path):
    path, settings = tmp_path / "w.safetensors", TrainSettings(seed=3)
    tuned = tune_by_volumes(BACKEND, usable, settings)
    write_tuned(path, tuned.extractor.backbone, tuned.extractor.decoder, tuned.origin)
    brought = replace(
        SLICES,
        backbone=replace(SLICES.backbone, weights=str(path)),
        finetune=replace(SLICES.finetune, method="none"),
    )
    flow = replace(BACKEND.flow, course=CourseSettings(steps=2))
    short = replace(BACKEND, slices=brought, flow=flow)
    model = train("simpleslicenet", short, usable, settings)
    assert set(tuned.origin.files) <= set(model.origin.files)
    state = model.detector.extractor.backbone.network.state_dict()
    assert torch.equal(state[LAYER], tuned.extractor.backbone.network.state_dict()[LAYER])
    with pytest.raises(ConfigError, match="fine-tuned on them"):
        train("simpleslicenet", short, usable, TrainSettings(seed=4))


def test_what_taught_earlier_weights_is_not_forgotten(usable, pictures, tmp_path):
    path = tmp_path / "first.safetensors"
    first = tune_by_pictures(BACKEND, pictures, TrainSettings())
    write_tuned(path, first.extractor.backbone, None, first.origin)
    again = replace(SLICES, backbone=replace(SLICES.backbone, weights=str(path)))
    second = tune_by_volumes(replace(BACKEND, slices=again), usable, TrainSettings())
    assert second.origin.files[:5] == pictures.files
    assert len(second.origin.files) == 5 + 3


def test_pictures_teach_as_volumes_do(pictures):
    stages = []
    tuned = tune_by_pictures(
        BACKEND, pictures, TrainSettings(seed=1), lambda stage, *_, **__: stages.append(stage)
    )
    assert tuned.origin.files == pictures.files
    assert (tuned.taught, tuned.held, tuned.origin.seed) == (5, 0, 1)
    assert stages == ["finetune"] * 2
    again = tune_by_pictures(BACKEND, pictures, TrainSettings(seed=1))
    states = [one.extractor.backbone.network.state_dict()[LAYER] for one in (tuned, again)]
    assert torch.equal(*states)


def test_pictures_that_were_left_half_learnt_are_gone_on_with(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(savepoint, "EVERY", 0)
    seen = []

    def stopping(stage, done, total, **values):
        seen.append((stage, done))
        if "loss" in values and done == 2:
            raise KeyboardInterrupt

    settings, cache = TrainSettings(seed=2), Cache(tmp_path)
    whole = tune_by_pictures(BACKEND, pictures, settings, cache=Cache(tmp_path / "other"))
    with pytest.raises(KeyboardInterrupt):
        tune_by_pictures(BACKEND, pictures, settings, stopping, cache=cache)
    assert seen == [("finetune", 1), ("finetune", 2)]
    left = []
    again = tune_by_pictures(
        BACKEND, pictures, settings, lambda stage, done, *_, **__: left.append(done), cache=cache
    )
    assert left == [2]
    states = [one.extractor.backbone.network.state_dict() for one in (whole, again)]
    assert all(torch.equal(held, states[1][name]) for name, held in states[0].items())


def test_a_user_is_told_of_random_weights_and_of_phantoms(pictures):
    tuned = tune_by_pictures(BACKEND, pictures, TrainSettings())
    assert [notice.code for notice in remarks(tuned)] == ["W_RANDOM_WEIGHTS"]
    phantoms = replace(tuned, origin=replace(tuned.origin, synthetic=True))
    assert [notice.code for notice in remarks(phantoms)][1:] == ["W_SYNTHETIC"]


def test_only_lesions_leave_a_decoder():
    lesions = replace(SLICES, finetune=replace(SLICES.finetune, method="lesions"))
    assert leaves_no_decoder(BACKEND)
    assert not leaves_no_decoder(replace(BACKEND, slices=lesions))


def test_no_method_is_refused_before_anything_is_read():
    still = replace(SLICES, finetune=replace(SLICES.finetune, method="none"))
    with pytest.raises(ConfigError, match="nothing to write"):
        check_method(replace(BACKEND, slices=still))
