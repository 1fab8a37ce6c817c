import csv
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

from slicenet.commands.door import Door
from slicenet.commands.evaluate import command
from slicenet.metrics import EvaluationSettings, ScoredCase, evaluate

THRESHOLDS = {"fpr0.01": 2.3, "fpr0.05": 1.6}
SHAPE = (14, 14, 14)


def _case(number: int, lesioned: bool, noise: float = 0.0) -> ScoredCase:
    generator = np.random.default_rng(number)
    brain, truth = np.zeros((2, *SHAPE), bool)
    brain[1:13, 1:13, 1:13] = True
    truth[3:6, 4:7, 5 + number % 3 : 9] = lesioned
    scores = generator.normal(size=SHAPE) + 2 * truth
    scores += noise * np.random.default_rng(99 + number).normal(size=SHAPE)
    scores = np.where(brain, scores, 0).astype(np.float32)
    overall = float(scores.max())
    return ScoredCase(f"sub-{number:02}", scores, brain, truth, (2.0, 2.0, 2.0), overall)


def _save(path: Path, voxels: np.ndarray, dtype: type) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels.astype(dtype), np.diag([2.0, 2.0, 2.0, 1.0])), path)


def _maps(folder: Path, cases: list[ScoredCase], sha256: str = "model", **more) -> str:
    """What `slicenet score` leaves."""
    model = {"sha256": sha256, "thresholds": THRESHOLDS, **more}
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"format": 1, "model": model}))
    for case in cases:
        stem = folder / case.name / "anat" / case.name
        _save(Path(f"{stem}_desc-anomaly_heatmap.nii.gz"), case.scores, np.float32)
        _save(Path(f"{stem}_desc-brain_mask.nii.gz"), case.brain, np.uint8)
        row = {"name": case.name, "subject": case.name[4:], "score": case.volume_score}
        sidecar = {"model_sha256": sha256, "volume_sha256": f"of {case.name}", "row": row}
        Path(f"{stem}_desc-anomaly_heatmap.json").write_text(json.dumps(sidecar))
    return str(folder)


@pytest.fixture
def cases():
    return [_case(number, lesioned=number < 5) for number in range(7)]


@pytest.fixture
def truth(tmp_path, cases):
    root = tmp_path / "truth"
    lines = ["participant_id\tgroup"]
    for case in cases:
        stem = root / case.name / "anat" / case.name
        stem.parent.mkdir(parents=True)
        Path(f"{stem}_T1w.nii.gz").touch()
        if case.lesioned:
            _save(Path(f"{stem}_label-lesion_mask.nii.gz"), case.truth, np.uint8)
        lines.append(f"{case.name}\t{'lesioned' if case.lesioned else 'healthy'}")
    (root / "participants.tsv").write_text("\n".join(lines) + "\n")
    return str(root)


@pytest.fixture
def run(truth):
    def invoke(*arguments):
        main = Door("slicenet", commands={"evaluate": command})
        words = ["evaluate", *map(str, arguments), "--truth", truth, "--bootstrap", "50"]
        return CliRunner().invoke(main, words)

    return invoke


def test_the_command_says_what_the_library_says(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases)
    result = run(maps, "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    expected = evaluate(cases, THRESHOLDS, EvaluationSettings(resamples=50))
    for row, figure in zip(content["figures"], expected.figures, strict=True):
        assert row["figure"] == figure.key
        assert row["value"] == pytest.approx(figure.estimate.value), figure.key
        assert row["low"] == pytest.approx(figure.estimate.low), figure.key
    assert content == json.loads((tmp_path / "maps" / "evaluation.json").read_text())


def test_people_get_a_table_with_oracles_marked_and_rules_below(tmp_path, cases, run):
    result = run(_maps(tmp_path / "maps", cases), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "⌈Dice⌉ **oracle**" in result.stdout
    assert "at threshold fpr0.01 (score above 2.3)" in result.stdout
    assert "* Surface distances in mm" in result.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evaluation.csv", "evaluation.json", "evaluation_cases.csv", "slicenet.lock",
    ]  # fmt: skip
    assert not (tmp_path / "maps" / "evaluation.json").exists()


def test_a_map_without_truth_is_listed_and_the_others_are_judged(tmp_path, cases, run):
    result = run(_maps(tmp_path / "maps", [*cases, _case(40, True)]))
    assert result.exit_code == 3
    assert "failed sub-40" in result.stderr
    assert "E_TRUTH" in result.stderr
    assert "5 volumes" in result.stdout


def test_a_damaged_map_is_listed_and_the_others_are_judged(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases)
    heatmap = next(Path(maps).rglob("sub-01_desc-anomaly_heatmap.nii.gz"))
    heatmap.write_bytes(heatmap.read_bytes()[:400])
    result = run(maps, "--json")
    assert result.exit_code == 3
    content = json.loads(result.stdout)
    assert [failure["case"] for failure in content["failed"]] == ["sub-01"]
    assert len(content["cases"]) == 6


def test_when_no_map_can_be_judged_the_exit_code_is_4(tmp_path, run):
    result = run(_maps(tmp_path / "maps", [_case(40, True)]))
    assert result.exit_code == 4
    assert "failed sub-40" in result.stderr


def test_e72_volumes_that_made_the_model_are_refused(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases, calibration_sources=["of sub-06"])
    result = run(maps)
    assert result.exit_code == 2
    assert "sub-06" in result.stderr
    assert "E_LEAK" in result.stderr


def test_a_leak_among_the_healthy_maps_is_refused_too(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases[:5])
    healthy = _maps(tmp_path / "healthy", cases[5:], calibration_sources=["of sub-06"])
    assert "E_LEAK" in run(maps, "--healthy", healthy).stderr


def test_healthy_maps_make_volume_figures_even_under_the_same_names(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases[:5])
    without = run(maps)
    assert "W_NO_HEALTHY" in without.stderr
    twins = [_case(number, lesioned=False) for number in range(3)]
    result = run(maps, "--healthy", _maps(tmp_path / "healthy", twins), "--json")
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    figures = {row["figure"]: row for row in content["figures"]}
    assert figures["volume_auroc"]["value"] is not None
    assert figures["volume_auroc"]["n"] == 8
    assert [case["name"] for case in content["cases"]][5:] == [
        "healthy:sub-00", "healthy:sub-01", "healthy:sub-02",
    ]  # fmt: skip


def test_healthy_maps_of_another_model_are_refused(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases[:5])
    other = _maps(tmp_path / "healthy", cases[5:], sha256="another")
    result = run(maps, "--healthy", other)
    assert result.exit_code == 2
    assert "E_MODEL" in result.stderr


def test_two_folders_are_compared_with_p_values(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases)
    noisy = [_case(number, number < 5, noise=3.0) for number in range(7)]
    result = run(maps, "--against", _maps(tmp_path / "other", noisy, sha256="another"))
    assert result.exit_code == 0, result.stderr
    assert "sign-flip" in result.stdout
    with (tmp_path / "maps" / "evaluation_pairs.csv").open() as file:
        rows = {row["figure"]: row for row in csv.DictReader(file)}
    assert float(rows["auroc"]["difference"]) > 0
    assert float(rows["auroc"]["p_value"]) == pytest.approx(2 / 2**5)
    assert rows["auroc"]["subjects"] == "5"


def test_a_map_without_a_partner_is_listed(tmp_path, cases, run):
    maps = _maps(tmp_path / "maps", cases)
    result = run(maps, "--against", _maps(tmp_path / "other", cases[:4]))
    assert result.exit_code == 3
    assert "failed sub-06" in result.stderr
    assert "E_PAIRS" in result.stderr


def test_plain_heatmaps_are_judged_without_thresholds(tmp_path, cases, run):
    for case in cases:
        _save(tmp_path / "plain" / f"{case.name}_T1w.nii.gz", case.scores, np.float32)
    result = run(tmp_path / "plain")
    assert result.exit_code == 0, result.stderr
    assert "W_PLAIN_MAPS" in result.stderr
    assert "W_BRAIN_GUESSED" in result.stderr
    assert "at threshold" not in result.stdout
    assert "AUPRO30" in result.stdout


def test_truth_that_reaches_out_of_the_brain_is_told(tmp_path, cases, run):
    small = [replace(case, brain=case.brain & (np.arange(14) < 8)) for case in cases]
    result = run(_maps(tmp_path / "maps", small))
    assert result.exit_code == 0
    assert "W_TRUTH_OUTSIDE" in result.stderr
    content = json.loads((tmp_path / "maps" / "evaluation.json").read_text())
    assert [notice["code"] for notice in content["notices"]] == ["W_TRUTH_OUTSIDE"]
