import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch

from slicenet import machine
from slicenet.machine import (
    Memory,
    bfloat16_speed,
    cores,
    matrix_speed,
    memory,
    peak_gb,
    processor,
)

GB = 10**9


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A machine of 8 cores and 16 GB, described as Linux describes it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    write(tmp_path, "proc/cpuinfo", "processor\t: 0\nmodel name\t: Abacus: 3000\n")
    write(
        tmp_path,
        "proc/meminfo",
        f"MemTotal: {16 * GB // 1024} kB\nMemFree: 1 kB\nMemAvailable: {12 * GB // 1024} kB\n",
    )
    return tmp_path


def write(root, name, text):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_the_processor_goes_by_its_full_name(root):
    assert processor(root) == "Abacus: 3000"


def test_without_a_quota_the_affinity_counts(root):
    assert cores(root) == 8


def test_h107_the_smallest_quota_of_the_groups_around_a_process_counts(root):
    write(root, "proc/self/cgroup", "0::/slurm/job1/task\n")
    write(root, "sys/fs/cgroup/slurm/cpu.max", "50000 100000\n")
    write(root, "sys/fs/cgroup/slurm/job1/cpu.max", "300000 100000\n")
    write(root, "sys/fs/cgroup/slurm/job1/task/cpu.max", "max 100000\n")
    assert cores(root) == 0.5


def test_a_quota_of_the_first_version_counts_too(root):
    write(root, "proc/self/cgroup", "5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n")
    # A container sees its own group as the root of the tree.
    write(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n")
    write(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    assert cores(root) == 1.5


def test_a_quota_of_minus_one_is_none(root):
    write(root, "proc/self/cgroup", "4:cpu:/\n")
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert cores(root) == 8


def test_memory_without_a_limit_is_that_of_the_machine(root):
    assert memory(root).total == pytest.approx(16 * GB, abs=1024)
    assert memory(root).available == pytest.approx(12 * GB, abs=1024)


@pytest.mark.parametrize(
    ("group", "file"),
    [
        ("0::/box\n", "sys/fs/cgroup/box/memory.max"),
        ("7:memory:/box\n", "sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ],
)
def test_the_limit_of_a_container_caps_both_figures(root, group, file):
    write(root, "proc/self/cgroup", group)
    write(root, file, f"{2 * GB}\n")
    assert memory(root) == Memory(2 * GB, 2 * GB)


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_a_limit_that_is_none_changes_nothing(root, limit):
    write(root, "proc/self/cgroup", "0::/\n")
    write(root, "sys/fs/cgroup/memory.max", f"{limit}\n")
    assert memory(root).total == pytest.approx(16 * GB, abs=1024)


def test_a_system_that_shows_nothing_still_gets_answers(tmp_path):
    assert cores(tmp_path) >= 1
    assert memory(tmp_path).available == 0
    assert processor(tmp_path) == (platform.processor() or platform.machine())


def test_this_machine_has_a_core_and_some_memory():
    assert 0 < cores() <= (os.cpu_count() or 1)
    assert memory().total >= memory().available > 0
    assert processor()


def test_the_speed_of_bfloat16_is_a_ratio_of_times(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(ticks))
    assert bfloat16_speed(4) == 1


def test_the_speed_of_products_is_that_of_a_processor():
    assert 1e8 < matrix_speed(torch.float32, 256) < 1e14


def test_the_peak_rises_with_what_is_held_and_never_falls():
    before = peak_gb()
    held = np.ones(int(before * 1e9 / 8 + 1e7))  # more than was ever held
    during = peak_gb()
    del held
    assert during > before + 0.05
    assert peak_gb() > during - 0.01  # the system counts pages in batches


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_process_that_this_one_starts_has_a_peak_of_its_own():
    held = np.ones(10**8)  # 0.8 GB
    small = "from slicenet.machine import peak_gb; print(peak_gb())"
    done = subprocess.run([sys.executable, "-c", small], capture_output=True, text=True, check=True)
    assert 0.05 < float(done.stdout) < peak_gb() - 0.2
    assert held.all()


def test_without_proc_the_peak_is_that_of_the_system_call(tmp_path):
    assert peak_gb(tmp_path) > peak_gb() - 0.01  # it may count a parent in, and never less
