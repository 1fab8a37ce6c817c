from itertools import product

import pytest
import torch

from slicenet.backends import BACKENDS
from slicenet.backends.pair import EXTRACTORS, SCORERS, Pair
from slicenet.checkpoint import settings_table
from slicenet.config import overlay
from slicenet.errors import ConfigError

TINY = {"backbone": {"name": "test_resnet", "weights": "random"}, "neighbourhood": {"width": 24}}
SMALL = {
    "frame": {"box": [128, 160, 144], "spacing": [4, 4, 4]},
    "dagmm": {"learn": {"steps": 40, "batch": 64, "each": 500}},
    "simclr": {
        "encoder": {"kind": "resnet18", "width": 4},
        "learn": {"steps": 2, "batch": 2, "bank": 4, "parts": 2, "head": [8, 8]},
    },
    "siamese": {"learn": {"steps": 4, "batch": 4, "settle": 2}, "cell": 8.0},
    "vqvae": {
        "finer": 1,
        "network": {"levels": 1, "width": 6, "blocks": 1, "codes": 8},
        "learn": {"steps": 20, "batch": 4, "rate": 3e-3},
    },
    "flow": {"flow": {"blocks": 2}, "course": {"steps": 4, "batch": 64}},
    "lof": {"nearest": 20, "kept": 1000},
    "mixture": {"kept": 1000, "components": [1, 2]},
    "neighbours": {"bank": 100, "candidates": 2000},
}
ANSWER = {**TINY, "read": ["logit"], "finetune": {"method": "lesions", "decoder": {"width": 8}}}


def pair(extractor, scorer, slices=TINY):
    return overlay(Pair(), {"extractor": extractor, "scorer": scorer, "slices": slices})


@pytest.mark.parametrize(("extractor", "scorer"), list(product(EXTRACTORS, SCORERS)))
def test_every_pair_is_built_of_its_two_parts_or_refused_with_what_would_do(extractor, scorer):
    refused = scorer == "channel" or (scorer == "histeq" and extractor != "intensity")
    if refused:
        with pytest.raises(ConfigError, match="would do") as caught:
            pair(extractor, scorer)
        assert caught.value.code == "E_PAIR"
        return
    detector = pair(extractor, scorer).build()
    named = {"slices": "slice", "one_class_svm": "oneclasssvm"}
    for part, name in ((detector.extractor, extractor), (detector.scorer, scorer)):
        assert type(part).__name__.lower().startswith(named.get(name, name))
        assert part.settings == getattr(Pair(), name) or name == "slices"


@pytest.mark.parametrize(
    ("extractor", "scorer"),
    [
        (one, other)
        for one, other in product(EXTRACTORS, SCORERS)
        if other not in ("channel", "histeq")
    ],
)
def test_every_pair_learns_and_finds_strange_what_it_has_never_seen(make_brain, extractor, scorer):
    torch.manual_seed(0)
    choice = {"extractor": extractor, "scorer": scorer, "slices": TINY}
    detector = overlay(Pair(), {**SMALL, **choice}).build()
    detector.fit([make_brain(seed, sequences=2) for seed in range(4)])
    well, ill = (
        detector.score(make_brain(9, lesion, sequences=2)).scores for lesion in (False, True)
    )
    assert torch.isfinite(well).all()
    assert torch.isfinite(ill).all()
    assert (ill - well)[24:30, 24:30, 16:22].mean() > (ill - well).mean()


def test_what_the_refusals_advise_is_accepted():
    assert pair("intensity", "histeq").build()
    assert pair("slices", "channel", ANSWER).build()
    both = {"extractor": "siamese", "siamese": {"read": ["residual"]}}
    assert overlay(Pair(), {**both, "scorer": "channel"}).build()
    with pytest.raises(ConfigError, match="alone has one"):
        overlay(Pair(), {**both, "scorer": "flow"})
    assert pair("slices", "flow", {**ANSWER, "read": ["intensity", "logit"]}).build()
    with pytest.raises(ConfigError, match="channel"):
        pair("intensity", "channel", ANSWER)
    with pytest.raises(ConfigError, match="alone has one"):
        pair("slices", "flow", ANSWER)
    residual = {"vqvae": {"read": ["residual"]}, "extractor": "vqvae"}
    assert overlay(Pair(), {**residual, "scorer": "channel"}).build()
    with pytest.raises(ConfigError, match="alone has one"):
        overlay(Pair(), {**residual, "scorer": "flow"})
    energy = {"extractor": "dagmm", "dagmm": {"read": "energy"}}
    assert overlay(Pair(), {**energy, "scorer": "channel"}).build()
    assert pair("dagmm", "flow").build()
    with pytest.raises(ConfigError, match="dagmm of the energy alone has one"):
        overlay(Pair(), {**energy, "scorer": "flow"})


def test_the_parts_that_are_not_chosen_are_not_built():
    absent = {"backbone": {"name": "no_such_network"}}
    assert pair("texture", "lof", absent).build()
    with pytest.raises(ConfigError, match="no_such_network"):
        pair("slices", "lof", absent).build()


@pytest.mark.parametrize(
    ("wrong", "hint"), [({"extractor": "slice"}, "slices"), ({"scorer": "gausian"}, "gaussian")]
)
def test_a_misspelt_part_is_refused_with_the_one_that_was_meant(wrong, hint):
    with pytest.raises(ConfigError, match=f"did you mean {hint}"):
        overlay(Pair(), wrong)


def test_every_part_has_a_table_of_its_name_and_every_table_a_part():
    tables = {name for name, value in settings_table(Pair()).items() if isinstance(value, dict)}
    assert tables - {"frame", "map"} == {*EXTRACTORS, *SCORERS}


def test_a_backend_that_is_a_pair_builds_what_the_pair_does():
    plain = BACKENDS["intensity-gaussian"]().build()
    same = pair("texture", "gaussian").build()
    assert same.extractor.settings == plain.extractor.settings
    assert same.scorer.settings == plain.scorer.settings
