from slicenet.metrics.definitions import DEFINITIONS, SECTIONS, rules
from slicenet.metrics.settings import EvaluationSettings


def test_every_figure_is_defined_by_a_sentence():
    for name, definition in DEFINITIONS.items():
        assert definition.meaning.endswith("."), name
        assert definition.section in SECTIONS, name
        assert definition.of in ("volumes", "slices", "lesions", "components"), name


def test_whatever_is_called_oracle_is_marked_as_one_and_nothing_else():
    for name, definition in DEFINITIONS.items():
        assert definition.oracle == ("oracle" in name) == ("⌈" in definition.label), name


def test_the_rules_name_the_settings_in_force():
    text = " ".join(rules(EvaluationSettings(minimum_voxels=7, resamples=123, strata_ml=(2.0,))))
    assert "at least 7 voxels" in text
    assert "123 bootstrap samples" in text
    assert "<2mL, >=2mL" in text
    assert "95 %" in text


def test_the_rules_say_what_a_miss_costs_and_what_oracle_means():
    text = " ".join(rules(EvaluationSettings()))
    assert "diagonal of the box around the brain" in text
    assert "chosen with the truth" in text
