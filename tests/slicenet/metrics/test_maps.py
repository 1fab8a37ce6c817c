import json

import numpy as np
import pytest

from slicenet import output
from slicenet.errors import ConfigError, NoInputError
from slicenet.metrics import maps
from slicenet.metrics.maps import find_maps

SIDECAR = "sub-case{0}/anat/sub-case{0}_desc-anomaly_heatmap.json"


@pytest.fixture
def scored(make_case, write_maps):
    return write_maps([make_case(seed) for seed in range(3)])


def _change(folder, seed, **values):
    path = folder / SIDECAR.format(seed)
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_files_are_named_as_scoring_names_them():
    assert (output.HEATMAP, output.SIDECAR, output.BRAIN) == (
        maps.HEATMAP,
        maps.SIDECAR,
        maps.BRAIN,
    )


def test_a_scored_folder_tells_model_thresholds_and_volume_scores(scored, make_case):
    found = find_maps(scored)
    assert found.model == "model"
    assert found.thresholds == {"fpr0.01": 2.3}
    assert [file.name for file in found.files] == ["sub-case0", "sub-case1", "sub-case2"]
    assert [file.subject for file in found.files] == ["case0", "case1", "case2"]
    assert found.files[1].volume_score == make_case(1).volume_score
    assert all(file.heatmap.is_file() and file.brain.is_file() for file in found.files)
    assert found.failures == found.notices == ()


def test_a_map_of_another_model_is_not_judged(scored):
    _change(scored, 1, model_sha256="older model")
    found = find_maps(scored)
    assert [file.name for file in found.files] == ["sub-case0", "sub-case2"]
    assert [error.code for _, error in found.failures] == ["E_STALE"]
    assert found.failures[0][1].__traceback__ is None


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_map_without_a_whole_sidecar_is_not_judged(scored, text):
    path = scored / SIDECAR.format(2)
    path.unlink() if text is None else path.write_text(text)
    found = find_maps(scored)
    assert len(found.files) == 2
    assert [error.code for _, error in found.failures] == ["E_UNFINISHED"]


@pytest.mark.parametrize("source", ["volume of case1", "file of case1"])
@pytest.mark.parametrize("use", ["calibration_sources", "training_sources"])
def test_volumes_that_made_the_model_are_refused(make_case, write_maps, source, use):
    cases = [make_case(seed) for seed in range(3)]
    found = find_maps(write_maps(cases, **{use: ["something", source]}))
    with pytest.raises(ConfigError, match="sub-case1") as raised:
        found.refuse_leaks()
    assert raised.value.code == "E_LEAK"


def test_other_sources_are_no_leak(make_case, write_maps):
    find_maps(write_maps([make_case(0)], calibration_sources=["volume of case9"])).refuse_leaks()


def test_without_its_run_file_a_scored_folder_is_not_taken_for_plain_maps(scored):
    (scored / "run.json").unlink()
    with pytest.raises(NoInputError, match=r"run\.json"):
        find_maps(scored)


@pytest.mark.parametrize("text", ["", "{}", '{"model": {}}', '{"model": 3}'])
def test_a_run_file_without_a_model_is_refused(scored, text):
    (scored / "run.json").write_text(text)
    with pytest.raises(ConfigError) as raised:
        find_maps(scored)
    assert raised.value.code == "E_RUN"


@pytest.mark.parametrize("folder", ["maps", "empty", "nowhere"])
def test_a_folder_without_maps_is_no_input(write_maps, tmp_path, folder):
    write_maps([])  # a run file, but no case was scored
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoInputError):
        find_maps(tmp_path / folder)


def test_plain_files_are_maps_without_thresholds(make_case, store, tmp_path):
    case = make_case(0)
    for name in ("one", "two"):
        store(tmp_path / f"{name}.nii.gz", case.scores, np.float32)
    store(tmp_path / "one_mask.nii.gz", case.brain, np.uint8)
    found = find_maps(tmp_path)
    assert [file.name for file in found.files] == ["one", "two"]
    assert [file.brain is None for file in found.files] == [False, True]
    assert found.model == ""
    assert found.thresholds == {}
    codes = [notice.code for notice in found.notices]
    assert codes[:2] == ["W_PLAIN_MAPS", "W_BRAIN_GUESSED"]
