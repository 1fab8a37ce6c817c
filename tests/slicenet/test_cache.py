import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from slicenet import files
from slicenet.cache import DEARER, LEARNT, Cache, CachedMaps
from slicenet.domain import portray
from slicenet.features import FeatureMap
from slicenet.frame import Frame, FrameSettings
from slicenet.watch import silent

SHARE = """
import sys, torch
from pathlib import Path
from slicenet.cache import Cache
from slicenet.features import FeatureMap
cache = Cache(Path(sys.argv[1]), 3e-4)
inside = torch.ones(10, 10, 10, dtype=torch.bool)
for step in range(60):
    key = f"{step % 20:02d}" + "0" * 62
    found = cache.load(key)
    assert found is None or (found.vectors == step % 20).all(), key
    cache.store(key, FeatureMap(torch.full((1000, 30), float(step % 20)), inside))
"""


def features(value, cells=8, channels=4):
    inside = torch.ones(2, 2, cells // 4, dtype=torch.bool)
    return FeatureMap(torch.full((cells, channels), float(value)), inside)


def walk(cache, volumes, describe, mark="s", only=None):
    return CachedMaps(volumes, describe, mark, cache, silent, only)


def test_what_is_stored_is_loaded_and_nothing_else(tmp_path):
    cache = Cache(tmp_path)
    cache.store("ab", features(3))
    assert torch.equal(cache.load("ab").vectors, features(3).vectors)
    assert cache.load("ac") is None
    assert cache.size()[0] == 1
    cache.clear()
    assert cache.load("ab") is None


def test_values_beyond_half_precision_are_kept_whole(tmp_path):
    cache = Cache(tmp_path)
    cache.store("ab", features(1e6))
    cache.store("cd", features(1e3))
    assert cache.load("ab").vectors.dtype == torch.float32
    assert cache.load("cd").vectors.dtype == torch.float16
    assert cache.load("ab").vectors.max() == 1e6


def test_the_least_recently_used_goes_first_and_what_cannot_fit_is_not_kept(tmp_path):
    cache = Cache(tmp_path, limit=3 * 1_000_000 * 2 / 1e9)
    for index, key in enumerate(("aa", "bb")):
        cache.store(key, features(index, cells=4000, channels=500))
    cache.load("aa")
    cache.store("cc", features(2, cells=4000, channels=500))
    assert [cache.load(key) is None for key in ("bb", "cc")] == [True, False]
    cache.store("dd", features(3, cells=40_000, channels=500))
    assert cache.load("dd") is None


def test_what_was_learnt_goes_after_maps_of_the_same_day(tmp_path):
    cache = Cache(tmp_path, limit=3 * 1_000_000 * 2 / 1e9)
    assert cache.store_state("aa", {"weight": torch.zeros(100_000)})
    for index, key in enumerate(("bb", "cc", "dd")):
        cache.store(key, features(index, cells=4000, channels=500))
    assert cache.load_state("aa") is not None
    os.utime(*tmp_path.rglob("*.learnt.*"), 2 * (time.time() - DEARER - 60,))
    cache.store("ee", features(3, cells=4000, channels=500))
    assert cache.load_state("aa") is None
    assert not cache.store_state("ff", {"weight": torch.zeros(5_000_000)})


def test_a_second_walk_reads_no_volume_and_describes_nothing(tmp_path, make_brain):
    class Counted(list):
        reads = 0

        def __getitem__(self, index):
            Counted.reads += 1
            return super().__getitem__(index)

    calls = []

    def describe(volume):
        calls.append(volume.name)
        return features(len(calls))

    maps = walk(Cache(tmp_path), Counted([make_brain(0), make_brain(1)]), describe)
    first = [m.vectors for m in maps]
    second = [m.vectors for m in maps]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert (len(calls), Counted.reads) == (2, 2)
    list(walk(Cache(tmp_path), [make_brain(0)], describe))
    assert len(calls) == 2  # another run finds what the first has left
    list(walk(Cache(tmp_path), [make_brain(0)], describe, mark="other settings"))
    assert len(calls) == 3


def test_a_walk_over_some_keeps_their_places_among_all(tmp_path, make_brain):
    volumes = [make_brain(seed) for seed in range(3)]
    maps = walk(Cache(tmp_path), volumes, lambda volume: replace(
        features(int(volume.name[-1])), portrait=portray(volume, volume)), only=(2, 0))  # fmt: skip
    assert [int(found.vectors.max()) for found in maps] == [2, 0]
    assert (len(maps), sorted(maps.portraits)) == (2, [0, 2])


def test_every_map_tells_whose_it_is_in_this_cohort(tmp_path, make_brain):
    brains = [make_brain(seed) for seed in range(3)]
    for names in ("aba", "cde"):  # described, then from the cache
        cohort = [replace(one, subject=own) for one, own in zip(brains, names, strict=True)]
        maps = walk(Cache(tmp_path), cohort, lambda _: features(7), only=(2, 1))
        for _ in range(2):
            assert [found.subject for found in maps] == [names[2], names[1]]
        assert maps.subjects == {2: names[2], 1: names[1]}


def test_a_map_that_was_thrown_out_meanwhile_is_made_again(tmp_path, make_brain):
    cache = Cache(tmp_path)
    maps = walk(cache, [make_brain(0)], lambda volume: features(7))
    list(maps)
    cache.clear()
    assert next(iter(maps)).vectors.max() == 7


def test_two_runs_at_once_share_a_bounded_cache(tmp_path):
    runs = [subprocess.Popen([sys.executable, "-c", SHARE, str(tmp_path)]) for _ in range(2)]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert 0 < Cache(tmp_path).size()[1] <= 2 * 3e5
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file")
    cache.store("ab", features(1))
    assert cache.load("ab") is None


@pytest.mark.parametrize("value", [1.0, 1e6])
def test_the_first_walk_gives_the_numbers_of_the_second(tmp_path, make_brain, value):
    maps = walk(Cache(tmp_path), [make_brain(0)], lambda volume: features(value / 3))
    assert torch.equal(next(iter(maps)).vectors, next(iter(maps)).vectors)


def test_what_an_extractor_has_learnt_is_kept_exactly(tmp_path):
    cache = Cache(tmp_path)
    state = {
        "a.weight": torch.randn(3, 4).T,
        "a.count": torch.tensor(5),
        "half": torch.ones(2).half(),
    }
    cache.store_state("ab12", state)
    found = cache.load_state("ab12")
    assert found is not None
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    assert [found[name].dtype for name in state] == [t.dtype for t in state.values()]
    assert cache.load_state("ab13") is None
    assert cache.size()[0] == 1
    cache.clear()
    assert cache.load_state("ab12") is None


def test_what_is_kept_says_how_long_it_took(tmp_path):
    cache = Cache(tmp_path)
    cache.store("ab12", features(3), 1.25)
    cache.store_state("ab12", {"weight": torch.ones(2)}, 60.5)
    assert cache.seconds("ab12") == 1.25
    assert cache.seconds("ab12", LEARNT) == 60.5
    assert cache.seconds("cd34") == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"junk"),
        lambda path: path.write_bytes(path.read_bytes()[:-8]),
        lambda path: save_file(load_file(path), path),  # an older slicenet kept no seconds
    ],
)
def test_what_is_damaged_or_has_no_seconds_counts_as_absent(tmp_path, spoil):
    cache = Cache(tmp_path)
    cache.store("ab12", features(3), 1.0)
    cache.store_state("ab12", {"weight": torch.ones(64)}, 1.0)
    for path in tmp_path.glob("ab/*.safetensors"):
        spoil(path)
    assert cache.load("ab12") is None
    assert cache.load_state("ab12") is None


def test_maps_of_an_earlier_run_have_saved_what_describing_them_took(tmp_path, make_brain):
    def describe(volume):
        time.sleep(0.05)
        return features(1)

    first = walk(Cache(tmp_path), [make_brain(0), make_brain(1)], describe)
    list(first)
    list(first)
    assert first.saved == 0
    second = walk(Cache(tmp_path), [make_brain(0), make_brain(1)], describe)
    list(second)
    assert 0.1 <= second.saved < 1
    once = second.saved
    list(second)
    assert second.saved == once


def test_a_portrait_is_kept_with_its_map_and_an_older_map_goes_without(tmp_path, make_brain):
    frame = Frame(FrameSettings(spacing=(8.0, 8.0, 8.0)))
    volumes = [make_brain(0), make_brain(1)]
    wanted = [portray(volume, frame.enter(volume)) for volume in volumes]

    def describe(volume):
        return replace(features(1), portrait=portray(volume, frame.enter(volume)))

    list(walk(Cache(tmp_path), volumes[:1], lambda _: features(1)))  # before there were portraits
    list(walk(Cache(tmp_path), volumes[1:], describe))
    again = walk(Cache(tmp_path), volumes, describe)
    list(again)
    assert set(again.portraits) == {1}
    parts, kept = (one.to_tensors() for one in (wanted[1], again.portraits[1]))
    assert all(torch.equal(parts[name], kept[name]) for name in parts)
    assert [part.dtype for part in parts.values()] == [part.dtype for part in kept.values()]


def test_a_cache_that_holds_nothing_has_no_savepoint_either(tmp_path):
    for limit, kept in ((0.0, False), (1.0, True)):
        point = Cache(tmp_path, limit).savepoint("ab12")
        point._every = 0
        point.offer(lambda: ({"a": torch.ones(2)}, {"step": 1}))
        assert bool(point.load()) == kept


@pytest.mark.parametrize(("age", "stays"), [(60.0, True), (2 * files.ABANDONED, False)])
def test_half_a_file_of_another_run_is_left_alone_until_it_is_abandoned(tmp_path, age, stays):
    half = tmp_path / "ab" / ".tmp-0123456789ab.safetensors"
    half.parent.mkdir()
    half.write_bytes(b"")
    os.utime(half, (time.time() - age,) * 2)
    Cache(tmp_path).store("cd", features(1))
    assert half.exists() is stays
