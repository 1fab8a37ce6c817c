import pytest

from slicenet.bench.slices import SliceBenchSettings, compare
from slicenet.errors import ConfigError


@pytest.fixture(scope="module")
def found():
    settings = SliceBenchSettings(
        "resnet50", 64, 6, rounds=2, flatness=(0.5,), bfloat16=True, template="procedural"
    )
    return compare(settings)


def test_every_way_is_measured_in_every_round(found):
    assert [row["way"] for row in found["ways"]] == ["published", "float32", "bfloat16"]
    assert {row["rounds"] for row in found["ways"]} == {2}
    assert list(found["peaks"]) == [3, 6]


def test_maps_of_the_same_weights_agree(found):
    published, exact, fast = (row["correlation"] for row in found["ways"])
    assert published == pytest.approx(1)
    assert exact > 0.999
    assert exact > fast > 0.9


def test_figures_belong_together(found):
    for row in found["ways"]:
        assert 0 < row["share"] < 3
        assert row["peak_gb"] > 0.1
        assert row["backbone"] < row["seconds"]
        assert row["ratio"] == pytest.approx(found["ways"][0]["seconds"] / row["seconds"])


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"seconds": 0.0}, {"backbone": "resnet18"}])
def test_what_cannot_be_measured_is_refused(wrong):
    with pytest.raises(ConfigError):
        SliceBenchSettings(**wrong)
