import numpy as np

from slicenet.calibration import Calibrator
from slicenet.card import calibration_text, model_card
from slicenet.checkpoint import Model, Origin
from slicenet.recipe import resolve


def trained(calibrated):
    recipe = resolve("zscore", None, ["zscore.prior=7"])
    detector = recipe.backend.build()
    if calibrated:
        calibrator = Calibrator()
        for shift in range(4):
            calibrator.add(shift + np.arange(1000) / 100, 1.0)
        detector.calibration = calibrator.finish()
    return Model(
        detector, "zscore", recipe.backend, Origin(("a",) * 16, ("b",) * 4, (), 5, True, "CC0")
    ), recipe


def test_the_card_says_what_was_seen_and_what_is_missing():
    card = model_card(*trained(calibrated=True))
    assert "fitted on 16 healthy volumes" in card
    assert "thresholds rest on 4 healthy subjects" in card
    assert "phantoms only" in card
    assert "carries their licence: CC0" in card
    assert "not a medical device" in card
    assert "prior = 7.0" in card
    assert "| 0.01 |" in card


def test_an_uncalibrated_model_has_no_table():
    model, recipe = trained(calibrated=False)
    assert calibration_text(model) == ""
    assert "no calibration" in model_card(model, recipe)
