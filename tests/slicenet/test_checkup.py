import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from slicenet import checkup, machine
from slicenet.checkup import examine
from slicenet.machine import Memory
from slicenet.weights import import_file

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SLICENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SLICENET_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(0, 0, 10**12))
    monkeypatch.setattr(machine, "memory", lambda: Memory(16 * 10**9, 12 * 10**9))


def found() -> dict[str, checkup.Finding]:
    return {finding.name: finding for finding in examine()}


def test_a_machine_with_room_for_everything_gets_no_warning():
    assert {finding.state for finding in examine()} == {"ok"}


def test_the_report_says_what_a_bug_hunter_asks_first():
    names = set(found())
    assert names > {"backbones", "processor", "cores", "memory", "feature cache", "brain template"}


@pytest.mark.parametrize(("free", "state"), [(10**12, "ok"), (10**9, "warn"), (10**7, "missing")])
def test_little_disk_is_a_warning_and_none_is_fatal(monkeypatch, free, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(0, 0, free))
    report = found()
    for name in ("working folder", "feature cache", "weights folder"):
        assert report[name].state == state
    assert state == "ok" or "SLICENET_CACHE" in report["feature cache"].hint


def test_a_folder_that_cannot_be_written_to_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(checkup.os, "access", lambda place, mode: False)  # root may write anywhere
    finding = found()["weights folder"]
    assert finding.state == "warn"
    assert str(tmp_path / "weights") in finding.found
    assert "SLICENET_WEIGHTS" in finding.hint


def test_little_memory_is_a_warning(monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: Memory(4 * 10**9, 10**9))
    assert found()["memory"].state == "warn"
    assert found()["memory"].found == "1.0 GB free of 4.0 GB"


def test_h107_more_threads_than_cores_are_a_warning_with_the_number_to_use(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 0.5)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert found()["cores"].state == "warn"
    assert "--threads 1" in found()["cores"].hint


def test_every_accelerator_has_a_line_of_its_own(monkeypatch):
    device = namedtuple("Device", "name total_memory")("Loom", 80 * 10**9)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: device)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    report = found()
    assert report["cuda:1"].found == "Loom, 80.0 GB"
    assert "mps" in report
    assert "accelerator" not in report


def test_weights_are_listed_by_name(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pth")
    import_file(tmp_path / "w.pth", "mine")
    assert found()["weights"].found == "mine, resnet18.tv_in1k"


def test_a_damaged_record_of_weights_is_reported_not_raised(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pth")
    import_file(tmp_path / "w.pth", "mine")
    (tmp_path / "weights/mine.json").write_text("{")
    assert found()["weights"].state == "warn"


def test_an_absent_template_is_a_warning(monkeypatch):
    monkeypatch.setattr(checkup, "TEMPLATE", "no/such/file")
    assert found()["brain template"].state == "warn"


def test_the_template_is_the_file_that_nilearn_reads():
    import nilearn.datasets.struct as struct

    assert checkup.TEMPLATE.endswith(Path(struct.MNI152_FILE_PATH).name)


def test_a_timm_that_does_not_import_is_missing_with_its_reason(monkeypatch):
    def fail(name):
        raise RuntimeError("of another kind")

    monkeypatch.setattr(checkup.importlib, "import_module", fail)
    finding = found()["backbones"]
    assert finding.state == "missing"
    assert "of another kind" in finding.found
