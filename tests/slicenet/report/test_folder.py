import json

import pytest

from slicenet.errors import NoInputError
from slicenet.report.folder import read_folder


def log(folder, *lines):
    text = "\n".join(json.dumps(line) for line in lines)
    (folder / "status.jsonl").write_text(text + '\n{"case": "cut')


def line(case, code, **more):
    return {"case": case, "code": code, "message": "", "hint": "", "seconds": 2.5, **more}


def test_cases_come_strangest_first_and_failures_with_their_reason(make_out, tmp_path):
    made = make_out(tmp_path, ("sub-2", "sub-1"))
    log(
        made.folder, line("sub-1", "E_CRC"), line("sub-1", "OK"),
        line("sub-9", "E_EMPTY", message="is empty", hint="copy it again"),
    )  # fmt: skip
    found = read_folder(made.folder)
    assert [entry.file.name for entry in found.entries] == ["sub-2", "sub-1"]
    assert found.entries[1].seconds == 2.5
    assert [(one.name, one.code, one.hint) for one in found.failures] == [
        ("sub-9", "E_EMPTY", "copy it again")
    ]


def test_a_map_without_a_sidecar_is_a_failure_told_once(make_out, tmp_path):
    made = make_out(tmp_path)
    next(made.folder.rglob("sub-2*heatmap.json")).unlink()
    assert [one.code for one in read_folder(made.folder).failures] == ["E_UNFINISHED"]
    log(made.folder, line("sub-2", "E_CRC"))
    assert [one.code for one in read_folder(made.folder).failures] == ["E_CRC"]


def test_where_all_failed_there_is_something_to_tell(make_out, tmp_path):
    made = make_out(tmp_path, ("sub-1",))
    for file in made.folder.rglob("sub-1*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(NoInputError, match="no maps"):
        read_folder(made.folder)
    log(made.folder, line("sub-1", "E_CRC"))
    assert [one.name for one in read_folder(made.folder).failures] == ["sub-1"]


def test_few_calibrated_phantoms_are_warned_of(scored, make_out, tmp_path):
    assert [one.code for one in scored.notices] == ["W_FEW", "W_SYNTHETIC"]
    bare = read_folder(make_out(tmp_path, calibrated=False).folder)
    assert bare.calibration is None
    assert [one.code for one in bare.notices] == ["W_UNCALIBRATED", "W_SYNTHETIC"]


def test_plain_maps_have_no_report(make_out, tmp_path):
    made = make_out(tmp_path)
    (made.folder / "run.json").unlink()
    for sidecar in made.folder.rglob("*.json"):
        sidecar.unlink()
    with pytest.raises(NoInputError):
        read_folder(made.folder)
