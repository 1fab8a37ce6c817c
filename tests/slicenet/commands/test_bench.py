import json
import re
from functools import partial

from slicenet.bench.slices import SliceBenchSettings

SMALL = ("--backends", "histeq", "--edge", "40", "--backbone", "resnet50", "--pixels", "64",
         "--slices", "6")  # fmt: skip


def test_json_is_all_that_was_measured_and_nothing_else(slicenet, monkeypatch):
    # What measures has tests of its own; here it hands over what it was asked for.
    monkeypatch.setattr(
        "slicenet.bench.backends.bench",
        lambda names, edge, place, watch: [{"backend": name, "edge": edge} for name in names],
    )
    monkeypatch.setattr(
        "slicenet.bench.slices.compare",
        lambda settings, watch: {"ways": settings.backbone, "peaks": settings.slices},
    )
    content = json.loads(slicenet("bench", *SMALL, "--json").stdout)
    assert content == {
        "backends": [{"backend": "histeq", "edge": 40}],
        "slices": {"ways": "resnet50", "peaks": 6},
    }


def test_the_last_line_states_ratio_seconds_memory_and_share(slicenet, monkeypatch):
    # One round, and no other number of slices: measured, if not well. Backends have their own test.
    monkeypatch.setattr("slicenet.bench.backends.bench", lambda *asked: [])
    quick = partial(SliceBenchSettings, rounds=1, flatness=())
    monkeypatch.setattr("slicenet.bench.slices.SliceBenchSettings", quick)
    line = slicenet("bench", *SMALL).stdout.splitlines()[-1]
    assert re.fullmatch(
        r"(float32|bfloat16): [\d.]+ times as fast as published, [\d.]+ s a volume, "
        r"peak [\d.]+ GB, \d+ % of the matrix rate", line
    )  # fmt: skip


def test_what_cannot_be_measured_is_refused_before_any_work(slicenet):
    assert slicenet("bench", "--backends", "x").exit_code == 2
    assert slicenet("bench", "--backbone", "resnet18").exit_code == 2
    assert slicenet("bench", "--slices", "10").exit_code == 2
