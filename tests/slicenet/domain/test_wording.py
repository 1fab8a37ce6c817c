import pytest

from slicenet.domain.domain import Reading, Usual
from slicenet.domain.wording import strange_themes, unlike


def reading(measure, value, low=None, high=None, sequence=0, distance=9.0):
    centre = (low if high is None else high) if None in (low, high) else (low + high) / 2
    unlike = not (low is None or value >= low) or not (high is None or value <= high)
    return Reading(Usual(measure, sequence, centre, low, high), value, distance, unlike)


TURNED = reading("pattern", -0.62, low=0.81, sequence=1)
FINE = reading("volume", 1300.0, 1100.0, 1700.0)


def message(*readings):
    (notice,) = unlike("sub-01", readings, 80)
    assert notice.code == "W_DOMAIN"
    return notice.message


def test_nothing_is_said_of_what_is_like_the_cohort():
    assert unlike("sub-01", (FINE,), 80) == ()
    assert unlike("sub-01", (), 0) == ()


def test_another_contrast_is_said_in_the_clearest_words_with_its_figures():
    said = message(TURNED, FINE, reading("histogram", 0.5, high=0.1, sequence=1, distance=99.0))
    assert said.startswith("sub-01: unlike the 80 healthy brains of this model in contrast (")
    assert "dark where they are bright" in said
    assert "-0.62, theirs from 0.81" in said
    assert said.endswith("its map means little")


def test_every_theme_is_named_once_and_the_gravest_first():
    parts = (
        reading("voxel", 6.0, high=3.0), reading("detail_z", 0.01, 0.1, 0.2, 1),
        reading("height", 90.0, 130.0, 150.0), TURNED,
    )  # fmt: skip
    assert strange_themes(parts) == ("contrast", "field of view", "resolution")
    said = message(*parts)
    assert said.index("contrast (") < said.index(" and in resolution (")
    assert "height 90, theirs 130 to 150 mm" in said


def test_a_rim_or_shell_that_the_contrast_explains_is_no_skull():
    rim = reading("rim", 2.0, -1.0, 0.0, 1)
    assert strange_themes((rim,)) == ("skull",)
    assert strange_themes((rim, TURNED)) == ("contrast",)
    shell = reading("shell", 0.6, high=0.2)
    assert strange_themes((shell, reading("histogram", 0.5, high=0.1))) == ("contrast", "skull")
    assert strange_themes((shell, TURNED)) == ("contrast",)  # of bright fluid, as T2 has it


@pytest.mark.parametrize(("value", "word"), [(0.01, "blurred"), (0.9, "noisier")])
def test_detail_lost_and_gained_go_by_other_words(value, word):
    said = message(reading("detail_x", value, 0.1, 0.2, 1))
    assert word in said
    assert said.endswith("read its map with care")


def test_a_sequence_is_named_where_there_are_several():
    assert "sequence 2, dark where" in message(
        reading("pattern", 0.9, low=0.8, sequence=1), reading("pattern", -0.5, low=0.8, sequence=2)
    )
    assert "sequence" not in message(TURNED).replace("another sequence", "")
