import numpy as np
import pytest

from slicenet.domain.measures import MEASURES, columns
from slicenet.domain.portrait import OWN, SHARED


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_a_value_returns_from_its_scale_and_keeps_its_order(measure):
    values = np.array([0.02, 0.3, 0.9])
    scaled = measure.scaled(values)
    assert np.allclose(measure.natural(scaled), values)
    assert (np.diff(scaled) > 0).all()


def test_a_correlation_is_scaled_as_fisher_did_and_1_stays_finite():
    measure = MEASURES["pattern"]
    assert measure.scaled(np.array(0.5)) == pytest.approx(0.5 * np.log(1.5 / 0.5))
    assert np.isfinite(measure.scaled(np.array([-1.0, 1.0]))).all()


def test_a_row_has_each_measure_once_of_the_input_or_once_a_sequence():
    for sequences in (1, 3):
        found = [(measure.name, sequence) for measure, sequence in columns(sequences)]
        assert len(set(found)) == len(found)
        assert len(found) == len(SHARED) + sequences * (len(OWN) + 2)
        assert {sequence for _, sequence in found} == set(range(sequences + 1))
    assert {measure.name for measure, _ in columns(1)} == set(MEASURES)
