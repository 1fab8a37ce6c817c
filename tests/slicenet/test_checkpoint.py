import json
import pickle

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from slicenet.backends import BACKENDS
from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.checkpoint import Model, Origin, load, read, rounded, save
from slicenet.config import overlay
from slicenet.errors import CheckpointError
from slicenet.frame import FrameSettings
from tests.tiny import NETWORKS, TINY

BACKEND = ZScore(frame=FrameSettings(spacing=(4.0, 4.0, 4.0)))


@pytest.fixture(scope="module")
def model(make_brain, tmp_path_factory):
    detector = BACKEND.build()
    cache = Cache(tmp_path_factory.mktemp("cache"))
    detector.fit([make_brain(seed) for seed in range(3)], cache=cache)
    detector.calibrate([make_brain(seed) for seed in range(10, 12)])
    return Model(detector, "zscore", BACKEND, Origin(("a", "b"), ("c",), ("d",), 3, True))


@pytest.fixture
def path(model, tmp_path):
    save(tmp_path / "model.safetensors", model)
    return tmp_path / "model.safetensors"


def rewritten(path, change=None, hashed=True, **tensors):
    """The file with its header changed by a function and tensors replaced."""
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["slicenet"])
    if change:
        change(about["header"])
    if not hashed:
        del about["sha256"]
    save_file({**load_file(path), **tensors}, path, {"slicenet": json.dumps(about)})
    return path


def test_a_loaded_model_scores_and_means_the_same(model, path, make_brain):
    again, volume = read(path), make_brain(9, lesion=True)
    one, two = model.detector.score(volume), again.detector.score(volume)
    assert torch.equal(one.scores, two.scores)
    assert one.calibration == two.calibration
    assert (again.name, again.backend, again.origin) == ("zscore", BACKEND, model.origin)
    assert load(path.parent).calibration == model.detector.calibration  # a run folder will do


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    digests = {save(tmp_path / name, model) for name in ("a.safetensors", "b.safetensors")}
    assert len(digests) == 1
    contents = {(tmp_path / name).read_bytes() for name in ("a.safetensors", "b.safetensors")}
    assert len(contents) == 1


def test_79_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was opened",))

    (tmp_path / "m.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError, match="never opened"):
        read(tmp_path / "m.safetensors")


def test_80_a_cut_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        read(path)


def test_81_a_flipped_bit_is_found(path):
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert caught.value.code == "E_SHA256"


def test_a_changed_threshold_is_found(path):
    rewritten(path, lambda header: header["calibration"].update(subjects=500))
    with pytest.raises(CheckpointError, match="damaged"):
        read(path)


def test_82_a_missing_hash_is_refused_unless_allowed(path):
    rewritten(path, hashed=False)
    with pytest.raises(CheckpointError, match="--allow-unverified"):
        read(path)
    assert read(path, allow_unverified=True).name == "zscore"


def test_83_a_newer_format_names_the_version_to_install(path):
    def newer(header):
        header["format"] = 99
        header["versions"]["slicenet-mri"] = "7.0"

    rewritten(path, newer, hashed=False)
    with pytest.raises(CheckpointError, match=r"slicenet-mri 7\.0"):
        read(path, allow_unverified=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(backend="magic"), "no backend called 'magic'"),
        (lambda h: h["settings"]["frame"].update(boxx=1), "no such setting"),
        (lambda h: h.pop("calibration"), "header not readable"),
        (lambda h: h["calibration"].pop("curve"), "calibration"),
    ],
)
def test_84_a_foreign_header_is_refused(path, change, message):
    rewritten(path, change, hashed=False)
    with pytest.raises(CheckpointError, match=message):
        read(path, allow_unverified=True)


@pytest.mark.parametrize(
    "tensor", [{"scorer.mean": torch.tensor([float("nan")])}, {"extra": torch.ones(1)}]
)
def test_84_nan_weights_and_foreign_tensors_are_refused(path, tensor):
    rewritten(path, hashed=False, **tensor)
    with pytest.raises(CheckpointError):
        read(path, allow_unverified=True)


def test_f83_what_an_earlier_version_never_learnt_is_not_missed(path):
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["slicenet"])
    del about["sha256"]
    tensors = {name: tensor for name, tensor in load_file(path).items() if name != "frame.core"}
    save_file(tensors, path, {"slicenet": json.dumps(about)})
    assert not read(path, allow_unverified=True).detector.frame.core.numel()
    del tensors["frame.sequences"]
    save_file(tensors, path, {"slicenet": json.dumps(about)})
    with pytest.raises(CheckpointError, match="do not fit"):
        read(path, allow_unverified=True)


def test_in_half_precision_a_model_scores_as_it_was_calibrated(make_brain, tmp_path):
    detector = BACKEND.build()
    detector.fit([make_brain(seed) for seed in range(3)], cache=Cache(tmp_path / "cache"))
    save(tmp_path / "whole.safetensors", Model(detector, "zscore", BACKEND))
    before = detector.state_dict()["scorer.mean"].clone()
    rounded(detector).calibrate([make_brain(seed) for seed in range(10, 12)])
    after = detector.state_dict()["scorer.mean"]
    assert torch.equal(after, before.half().float() if before.dtype == torch.float32 else before)
    save(tmp_path / "half.safetensors", Model(detector, "zscore", BACKEND, half=True))
    again, volume = read(tmp_path / "half.safetensors"), make_brain(9, lesion=True)
    assert again.half
    kinds = [{k: v.dtype for k, v in d.state_dict().items()} for d in (again.detector, detector)]
    assert kinds[0] == kinds[1]
    assert torch.equal(again.detector.score(volume).scores, detector.score(volume).scores)
    kept = load_file(tmp_path / "half.safetensors").values()
    kinds = {tensor.dtype for tensor in kept if tensor.numel()}
    assert torch.float32 not in kinds


def test_87_other_files_are_refused(tmp_path):
    page = tmp_path / "page.safetensors"
    page.write_text("<!doctype html><html>sign in</html>")
    with pytest.raises(CheckpointError, match="not a whole safetensors"):
        read(page)
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="no slicenet model"):
        read(tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="no such model"):
        read(tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_made_whatever_the_memory_of_its_sizes_held_before(name):
    backend = overlay(BACKENDS[name](), TINY[name])
    made, other = backend.build(), backend.build()
    NETWORKS[name](made)
    state = made.state_dict()
    for buffer, held in other.named_buffers():
        held.data = state[buffer].clone()  # as room that was never cleared may have it
    other.load_state_dict(state)
    assert all(torch.equal(held, state[name]) for name, held in other.state_dict().items())


def test_an_uncalibrated_model_stays_so(make_brain, tmp_path):
    detector = BACKEND.build()
    detector.fit([make_brain(0), make_brain(1)], cache=Cache(tmp_path))
    save(tmp_path / "m.safetensors", Model(detector, "zscore", BACKEND))
    assert load(tmp_path / "m.safetensors").calibration is None


def test_every_number_of_the_file_can_be_read_by_others(path):
    tensors = load_file(path)
    assert set(tensors) >= {"scorer.mean", "scorer.deviation"}
    assert all(np.isfinite(tensor.numpy()).all() for tensor in tensors.values())


def test_a_loaded_model_still_knows_its_cohort(path, model, make_brain):
    again = read(path).detector.domain
    assert again.subjects == model.detector.domain.subjects == 5
    for name, tensor in model.detector.domain.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
        assert tensor.dtype == again.state_dict()[name].dtype


def test_f83_a_model_from_before_there_were_domains_loads_and_says_nothing(path, make_brain):
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["slicenet"])
    del about["sha256"]
    kept = {n: one for n, one in load_file(path).items() if not n.startswith("domain.")}
    save_file(kept, path, {"slicenet": json.dumps(about)})
    old = read(path, allow_unverified=True).detector
    turned = make_brain(9)
    voxels = (turned.voxels.max() - turned.voxels) * turned.brain
    anomalies = old.score(type(turned)(voxels, turned.brain, turned.affine, "turned"))
    assert (anomalies.readings, anomalies.volume.notices) == ((), ())


def test_82_a_wrong_hash_is_refused_even_where_a_missing_one_is_allowed(path):
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read(path, allow_unverified=True)
    assert caught.value.code == "E_SHA256"


def test_81_the_same_bytes_in_another_shape_are_found(path):
    with safe_open(path, "pt") as file:
        about = file.metadata()
    tensors = load_file(path)
    save_file({**tensors, "scorer.mean": tensors["scorer.mean"].T.contiguous()}, path, about)
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert caught.value.code == "E_SHA256"
