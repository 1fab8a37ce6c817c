import time

import numpy as np

from slicenet.bench.stopwatch import Stopwatch, peak_gb


def test_turns_of_a_stage_add_up():
    stopwatch = Stopwatch()
    for _ in range(2):
        with stopwatch.stage("sleep"):
            time.sleep(0.02)
    stopwatch.add("other", 1.0)
    stopwatch.add("other", -0.25)
    assert 0.04 <= stopwatch.seconds["sleep"] < 1
    assert stopwatch.seconds["other"] == 0.75


def test_the_peak_rises_with_what_is_held_and_never_falls():
    before = peak_gb()
    held = np.ones(int(before * 1e9 / 8 + 1e7))  # more than was ever held
    during = peak_gb()
    del held
    assert during > before + 0.05
    assert peak_gb() >= during
