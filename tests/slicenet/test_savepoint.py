import signal

import pytest
import torch
from torch import nn

from slicenet.savepoint import Savepoint, packed, unpack
from slicenet.stopping import Stopped, deferred, stoppable

STATE = {"a": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)}, {"step": 7, "rate": 0.1 + 0.2}


def test_what_was_kept_comes_back_to_the_bit(tmp_path):
    Savepoint(tmp_path / "partly.safetensors", every=0).offer(lambda: STATE)
    tensors, values = Savepoint(tmp_path / "partly.safetensors").load()
    assert all(torch.equal(tensors[name], STATE[0][name]) for name in STATE[0])
    assert values == STATE[1]


def test_it_is_kept_from_time_to_time_only(tmp_path):
    point = Savepoint(tmp_path / "partly.safetensors", every=1000)
    point.offer(lambda: 1 / 0)
    assert point.load() is None


def test_without_a_path_nothing_is_asked_or_kept():
    point = Savepoint(every=0)
    point.offer(lambda: 1 / 0)
    assert point.load() is None
    point.clear()


def test_half_a_file_counts_as_none(tmp_path):
    path = tmp_path / "partly.safetensors"
    Savepoint(path, every=0).offer(lambda: STATE)
    path.write_bytes(path.read_bytes()[:-5])
    assert Savepoint(path).load() is None


def test_once_cleared_it_is_gone(tmp_path):
    point = Savepoint(tmp_path / "partly.safetensors", every=0)
    point.offer(lambda: STATE)
    point.clear()
    assert point.load() is None
    point.clear()


def test_a_disk_that_takes_nothing_stops_no_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    point = Savepoint(tmp_path / "file" / "partly.safetensors", every=0)
    point.offer(lambda: STATE)
    assert point.load() is None


def test_who_is_asked_to_stop_keeps_and_stops_whatever_the_time(tmp_path):
    point = Savepoint(tmp_path / "partly.safetensors", every=1000)
    passed = []

    def loop():
        with stoppable(), deferred():
            signal.raise_signal(signal.SIGTERM)
            passed.append("the rest of its step")
            point.offer(lambda: STATE)
            passed.append("another step")

    with pytest.raises(Stopped):
        loop()
    assert passed == ["the rest of its step"]
    assert point.load()[1] == STATE[1]


def test_parts_are_apart_and_go_with_the_whole_even_after_another_run(tmp_path):
    point = Savepoint(tmp_path / "partly.safetensors", every=0)
    for name in ("first", "second half"):
        point.part(name).keep(lambda name=name: ({}, {"name": name}))
    point.keep(lambda: STATE)
    (tmp_path / "partly2.safetensors").write_bytes(b"of another")
    again = Savepoint(tmp_path / "partly.safetensors")
    assert again.part("second half").load()[1] == {"name": "second half"}
    again.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["partly2.safetensors"]


def test_a_descent_goes_on_from_what_was_packed():
    def made():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        return network, torch.optim.AdamW(network.parameters(), 0.1)

    def descend(network, optimiser, steps):
        for step in steps:
            inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
            optimiser.zero_grad()
            network(inputs).square().sum().backward()
            optimiser.step()

    whole, first, second = made(), made(), made()
    descend(*whole, range(6))
    descend(*first, range(3))
    unpack({name: held.clone() for name, held in packed(*first).items()}, *second)
    descend(*second, range(3, 6))
    wanted = packed(*whole)
    assert packed(*second).keys() == wanted.keys()
    assert all(torch.equal(held, wanted[name]) for name, held in packed(*second).items())


def test_it_is_kept_once_its_time_has_come_and_then_waits_again(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("slicenet.savepoint.time.monotonic", lambda: now[0])
    point, kept = Savepoint(tmp_path / "partly.safetensors"), []
    for now[0] in (59.0, 60.5, 61.0, 119.0, 121.0):
        point.offer(lambda: kept.append(now[0]) or STATE)
    assert kept == [60.5, 121.0]
