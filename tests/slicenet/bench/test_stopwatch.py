import time

from slicenet.bench.stopwatch import Stopwatch


def test_turns_of_a_stage_add_up():
    stopwatch = Stopwatch()
    for _ in range(2):
        with stopwatch.stage("sleep"):
            time.sleep(0.02)
    stopwatch.add("other", 1.0)
    stopwatch.add("other", -0.25)
    assert 0.04 <= stopwatch.seconds["sleep"] < 1
    assert stopwatch.seconds["other"] == 0.75
