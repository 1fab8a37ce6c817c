import json

import pytest
from click.testing import CliRunner

from slicenet import __version__
from slicenet.commands import main


@pytest.fixture
def doctor():
    return lambda *arguments, **keywords: CliRunner().invoke(
        main, ["doctor", *arguments], **keywords
    )


def test_a_table_of_one_line_a_finding_ends_with_the_verdict(doctor):
    result = doctor()
    assert result.exit_code == 0, result.output
    *lines, verdict = result.stdout.splitlines()
    assert lines[0].split() == ["ok", "slicenet", __version__]
    assert {line.split()[0] for line in lines} <= {"ok", "warn"}
    assert verdict == "fit to work"


def test_states_are_coloured_for_people_only(doctor):
    assert "\x1b[32mok" in doctor(color=True).stdout
    assert "\x1b" not in doctor().stdout


def test_json_is_one_document_with_every_finding(doctor):
    report = json.loads(doctor("--json").stdout)
    assert report["fit"] is True
    assert {"state", "name", "found", "hint"} == set(report["findings"][0])
    assert "torch" in {finding["name"] for finding in report["findings"]}


def test_a_missing_library_ends_the_check_up_with_code_6(doctor, monkeypatch):
    monkeypatch.setattr("slicenet.installed.LIBRARIES", ("no-such-library",))
    result = doctor()
    assert result.exit_code == 6
    assert "pip install no-such-library" in result.stdout
    assert result.stdout.splitlines()[-1] == "missing: no-such-library"
    assert "memory" not in result.stdout
    assert json.loads(doctor("--json").stdout)["fit"] is False
