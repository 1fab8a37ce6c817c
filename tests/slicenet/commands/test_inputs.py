import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from slicenet.commands.inputs import Inputs, input_options
from slicenet.errors import ConfigError
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_files import BAD_FILES, NOT_FOR_ROOT


@pytest.fixture
def parse():
    """What a command with the shared options and one of its own is given."""

    def given(*arguments):
        caught = []

        @click.command()
        @input_options
        @click.option("--own", default=1)
        def command(inputs, own):
            """A command."""
            caught.append((inputs, own))

        result = CliRunner().invoke(command, arguments)
        return caught[0] if caught else result

    return given


def test_without_options_everything_is_as_the_reader_has_it(parse):
    inputs, own = parse("a.nii", "b")
    assert inputs == Inputs((Path("a.nii"), Path("b")))
    assert own == 1
    assert ReadOptions(**inputs.table()) == ReadOptions()


def test_labels_may_be_repeated_or_joined_by_commas(parse):
    inputs, own = parse(
        "d", "--participant-label", "01,sub-02", "--participant-label", "03", "--suffix", "T1w",
        "--session", "a", "--space", "none", "--desc", "brain", "--sequences", "T1w, FLAIR",
        "--own", "2",
    )  # fmt: skip
    assert inputs.participant_label == ("01", "sub-02", "03")
    assert (inputs.session, inputs.suffix, inputs.space) == (("a",), ("T1w",), ("none",))
    assert (inputs.desc, inputs.sequences, own) == (("brain",), ("T1w", "FLAIR"), 2)


def test_options_of_reading_reach_the_cohort(parse, tmp_path):
    (tmp_path / "a.nii").touch()
    inputs, _ = parse(
        str(tmp_path / "a.nii"), "--mask", str(tmp_path / "a.nii"), "--max-voxels", "9",
        "--volume", "0", "--assume-ras", "--resample-mask",
    )  # fmt: skip
    cohort = inputs.cohort()
    assert cohort.options == ReadOptions(9, 0, True, True)
    assert cohort.cases[0].mask == tmp_path / "a.nii"


def test_the_same_options_can_be_asked_of_other_places(parse, tmp_path):
    (tmp_path / "sub-1_T2w.nii").touch()
    inputs, _ = parse("model.safetensors", "--suffix", "T2w")
    assert [case.name for case in inputs.at([tmp_path]).cohort().cases] == ["sub-1_T2w"]


@pytest.mark.parametrize("arguments", [(), ("a", "--volume", "-1"), ("a", "--max-voxels", "0")])
def test_what_cannot_be_meant_is_a_usage_error(parse, arguments):
    assert parse(*arguments).exit_code == 2


def test_names_with_a_leading_dash_follow_two_dashes(parse):
    assert parse("--", "-x.nii")[0].places == (Path("-x.nii"),)


def test_help_shows_every_option(parse):
    text = parse("--help").output
    assert text.startswith("Usage: command [OPTIONS] DATA...")
    for name in Inputs.__dataclass_fields__:
        assert name == "places" or f"--{name.replace('_', '-')}" in text


def test_what_was_understood_is_shown_on_standard_error(tmp_path, capsys):
    (tmp_path / "a.nii").touch()
    inputs = Inputs((tmp_path,))
    inputs.show(inputs.cohort())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"1 case in {tmp_path}")


def test_the_options_can_be_had_without_waiting_for_torch():
    code = "import sys, slicenet.commands.check; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_role_is_asked_for_by_name_or_is_that_of_whom_a_split_tests(parse, tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.nii").touch()
    split = tmp_path / "split.tsv"
    split.write_text("subject\trole\na\tfit\nb\tcalibrate\nc\ttest\n")
    for words, expected in (
        ((), "abc"),
        (("--split", str(split)), "c"),
        (("--split", str(split), "--role", "fit", "--role", "calibrate"), "ab"),
    ):
        inputs, _ = parse(str(tmp_path), *words)
        assert [case.name for case in inputs.part().cases] == list(expected)
        assert len(inputs.cohort().cases) == 3
    with pytest.raises(ConfigError, match="--role"):
        inputs.undivided()


def test_whole_pictures_are_those_of_pictures_only(parse, tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "b.nii").touch()
    for name, expected in (("a.png", True), ("b.nii", False)):
        inputs, _ = parse(str(tmp_path / name), "--whole-picture")
        assert inputs.cohort().cases[0].whole is expected


def test_every_bad_file_fails_alone_with_its_code_and_stays_as_it_is(slicenet, run, tmp_path):
    (tmp_path / "in").mkdir()
    codes = {}
    for number, cases in BAD_FILES.items():
        for case in cases if number not in NOT_FOR_ROOT else ():
            if case.code.startswith("E_") or number == 19:  # what reads but for its name
                codes[case.build(tmp_path / "in")] = case.code or "OK"
    before = {path: path.read_bytes() for path in codes if stat.S_ISREG(path.lstat().st_mode)}
    done = slicenet("score", run, tmp_path / "in", "--out", tmp_path / "out")
    assert done.exit_code == 3, done.output
    lines = (tmp_path / "out" / "status.jsonl").read_text().splitlines()
    told = {os.fsencode(line["path"]): line["code"] for line in map(json.loads, lines)}
    del codes[tmp_path / "in" / "a21-series"]  # found by what is in it
    codes[tmp_path / "in" / "a21-series" / "0001.dcm"] = "E_NOT_NIFTI"
    assert told == {os.fsencode(path): code for path, code in codes.items()}
    assert {path: path.read_bytes() for path in before} == before
    assert len(list((tmp_path / "out").rglob("*_heatmap.nii.gz"))) == 5
    assert not list((tmp_path / "out").rglob(".tmp-*"))
