from slicenet.cache import Cache
from slicenet.cohort import find_cohort
from slicenet.comparing import divide
from slicenet.comparing.single import run
from slicenet.inspection import inspect_to_learn
from slicenet.recipe import resolve


def test_every_tested_volume_is_judged_and_timed(brains, tmp_path):
    recipe = resolve("zscore", None, ("frame.spacing=[8,8,8]",), 0)
    split = divide(find_cohort([brains]), 0.25, 0)
    usable = inspect_to_learn(split.healthy, recipe.backend.build().frame)
    told = []

    def watch(stage, done, total, **values):
        told.append((stage, done, total))

    first = run(recipe, usable, split.tested, watch, Cache(tmp_path))
    assert [case.name for case in first.evaluation.cases] == [c.name for c in split.tested.cases]
    assert [step for step in told if step[0] == "test"] == [("test", i, 4) for i in range(1, 5)]
    assert first.score_seconds > 0
    assert first.cached_seconds == 0
    again = run(recipe, usable, split.tested, watch, Cache(tmp_path))
    assert 0 < again.cached_seconds < again.train_seconds
    assert again.evaluation.to_json() == first.evaluation.to_json()
