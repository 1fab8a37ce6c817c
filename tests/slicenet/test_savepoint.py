import torch

from slicenet.savepoint import Savepoint

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
