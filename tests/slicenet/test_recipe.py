import tomllib

import pytest

from slicenet.errors import ConfigError
from slicenet.recipe import resolve


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('backend = "zscore"\n[train]\nseed = 4\n[frame]\nspacing = [3, 3, 3]\n')
    return path


def test_the_later_layer_wins_and_every_value_says_where_it_came_from(file):
    recipe = resolve(None, file, ["frame.spacing=[2,2,2]"], seed=9)
    assert recipe.backend.frame.spacing == (2.0, 2.0, 2.0)
    assert recipe.train.seed == 9
    text = recipe.to_toml()
    assert "spacing = [2.0, 2.0, 2.0]  # --set" in text
    assert "seed = 9  # --seed" in text
    assert f'backend = "zscore"  # {file}' in text
    assert "holdout = 0.2  # default" in text


def test_the_printed_recipe_reads_back_as_itself(file, tmp_path):
    recipe = resolve(None, file, ["zscore.polarity=dark"])
    (tmp_path / "again.toml").write_text(recipe.to_toml())
    again = resolve(None, tmp_path / "again.toml")
    assert (again.name, again.backend, again.train) == (recipe.name, recipe.backend, recipe.train)
    assert tomllib.loads(recipe.to_toml())["zscore"]["polarity"] == "dark"


@pytest.mark.parametrize(
    ("name", "assignments", "message"),
    [
        (None, [], "no backend named"),
        ("zscor", [], "did you mean zscore"),
        ("zscore", ["frame.spacng=1"], "did you mean spacing"),
        ("zscore", ["train=3"], "expected a table"),
        ("zscore", ["train.holdout=2.0"], "train.holdout"),
        ("zscore", ["histeq.polarity=dark"], "histeq: no such setting"),
        (None, ["backend=[1]"], "no such backend"),
    ],
)
def test_77_what_cannot_be_meant_is_refused(name, assignments, message):
    with pytest.raises(ConfigError, match=message):
        resolve(name, None, assignments)


def test_a_preset_lies_below_the_file_and_the_assignments(tmp_path):
    (tmp_path / "mine.toml").write_text("[flow.course]\nbatch = 64\n")
    recipe = resolve("paper-plos", tmp_path / "mine.toml", ["flow.flow.blocks=3"])
    assert (recipe.name, recipe.label) == ("simpleslicenet", "paper-plos")
    assert recipe.backend.flow.flow.blocks == 3
    assert recipe.backend.flow.course.batch == 64
    assert recipe.backend.flow.loss.loss == "triplet_plos"
    text = recipe.to_toml()
    assert 'loss = "triplet_plos"  # preset paper-plos' in text
    assert "batch = 64  # " + str(tmp_path / "mine.toml") in text


def test_a_file_may_name_a_preset(tmp_path):
    (tmp_path / "mine.toml").write_text('backend = "paper-arxiv"\n')
    assert resolve(None, tmp_path / "mine.toml").backend.flow.flow.blocks == 2


def test_a_file_goes_where_the_name_of_a_backend_goes(file):
    recipe = resolve(str(file), None, ["train.seed=5"])
    assert (recipe.name, recipe.label, recipe.train.seed) == ("zscore", "run", 5)
    assert recipe.backend.frame.spacing == (3.0, 3.0, 3.0)


def test_pictures_get_a_frame_of_one_slice_unless_somebody_has_set_another():
    recipe = resolve("quick", flat=True)
    assert recipe.backend.frame.box == (240.0, 240.0, 1.0)
    assert recipe.backend.slices.depth.kernel == 1
    assert recipe.notes["frame.box"] == "pictures"
    other = resolve("zscore", None, ["frame.box=[100,100,1]"], flat=True)
    assert other.backend.frame.box == (100.0, 100.0, 1.0)
    assert other.backend.frame.spacing == (1.0, 1.0, 1.0)
    assert "frame.box" not in resolve("zscore").notes
