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
    "score_norms": {
        "network": {"width": 6, "depth": 2},
        "patch": 16,
        "learn": {"steps": 10, "batch": 2},
    },
    "token_norms": {
        "slices": TINY,
        "components": 6,
        "width": 16,
        "blocks": 1,
        "tokens": 2000,
        "learn": {"steps": 40, "batch": 128},
    },
    "gnsm": {
        "ladder": {"levels": 2},
        "network": {"width": 8, "dilations": [1, 2]},
        "course": {"steps": 60, "batch": 2, "rate": 5e-3},
        "window": 8,
    },
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


NAMES = {
    "slices": "slice", "one_class_svm": "oneclasssvm", "categories": "category",
    "score_norms": "scorenorm", "token_norms": "tokennorm",
}  # fmt: skip


def go_together(extractor, scorer):
    """By their own tables: which pairs make sense as they are."""
    if scorer == "channel" or (extractor == "categories") != (scorer == "gnsm"):
        return False
    return scorer != "histeq" or extractor == "intensity"


@pytest.mark.parametrize(("extractor", "scorer"), list(product(EXTRACTORS, SCORERS)))
def test_every_pair_is_built_of_its_two_parts_or_refused_with_what_would_do(extractor, scorer):
    chosen = pair(extractor, scorer)
    if not go_together(extractor, scorer):
        with pytest.raises(ConfigError, match="would do") as caught:
            chosen.build()
        assert caught.value.code == "E_PAIR"
        return
    detector = chosen.build()
    for part, name in ((detector.extractor, extractor), (detector.scorer, scorer)):
        assert type(part).__name__.lower().startswith(NAMES.get(name, name))
        assert part.settings == getattr(chosen, name)


@pytest.mark.parametrize(
    ("extractor", "scorer"),
    [
        (one, other)
        for one, other in product(EXTRACTORS, SCORERS)
        if go_together(one, other) and other != "histeq"
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


@pytest.mark.parametrize(
    ("extractor", "table"),
    [("siamese", {"read": ["residual"]}), ("vqvae", {"read": ["residual"]}),
     ("dagmm", {"read": "energy"}), ("slices", ANSWER)],
)  # fmt: skip
def test_a_score_alone_is_a_channel_and_too_little_for_a_flow(extractor, table):
    chosen = {"extractor": extractor, extractor: table}
    assert overlay(Pair(), {**chosen, "scorer": "channel"}).build()
    with pytest.raises(ConfigError, match="several channels"):
        overlay(Pair(), {**chosen, "scorer": "flow"}).build()


def test_a_flow_takes_a_score_among_others():
    assert pair("slices", "flow", {**ANSWER, "read": ["intensity", "logit"]}).build()
    assert pair("slices", "flow", {**ANSWER, "planes": "joined"}).build()
    assert pair("dagmm", "flow").build()


@pytest.mark.parametrize(
    ("read", "index", "right"),
    [(["latent", "residual"], -1, True), (["residual", "latent"], -1, False),
     (["latent", "residual", "distance"], -2, True), (["latent", "residual"], -2, False),
     (["residual", "distance"], -3, False)],
)  # fmt: skip
def test_the_channel_that_is_asked_for_has_to_be_a_score(read, index, right):
    table = {"extractor": "vqvae", "vqvae": {"read": read}}
    chosen = overlay(Pair(), {**table, "scorer": "channel", "channel": {"index": index}})
    if right:
        assert chosen.build()
        return
    with pytest.raises(ConfigError, match=f"a score as channel {index}"):
        chosen.build()


def test_categories_are_for_gnsm_and_for_nothing_else():
    tokens = {"extractor": "vqvae", "vqvae": {"read": ["token"]}}
    assert overlay(Pair(), {**tokens, "scorer": "gnsm"}).build()
    for other in ("gaussian", "flow", "channel"):
        with pytest.raises(ConfigError, match="does not give"):
            overlay(Pair(), {**tokens, "scorer": other}).build()
    with pytest.raises(ConfigError, match="takes categories"):
        pair("vqvae", "gnsm").build()


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
