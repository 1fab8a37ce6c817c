import io
import re

import numpy as np
import pytest
from PIL import Image

from slicenet.journal import Stage
from slicenet.training_page import smoothed, training_page, training_png


def stage(name="flow", steps=100, **values):
    every = tuple(range(1, steps + 1))
    return Stage(
        name, steps, every, tuple(0.1 * step for step in every),
        {key: tuple(zip(every, one, strict=False)) for key, one in values.items()},
    )  # fmt: skip


FLOW = stage(
    loss=np.linspace(3, 1, 100), healthy_beyond=np.full(100, 0.05),
    strange_beyond=np.linspace(0, 0.9, 100), tokens=np.full(100, 512.0),
)  # fmt: skip


def test_the_picture_has_a_panel_a_value_and_shares_have_one_together():
    sizes = []
    for count in (1, 4):
        stages = [FLOW] * count
        sizes.append(Image.open(io.BytesIO(training_png(stages))).size)
    # Two panels are one row of three columns, eight are three rows.
    assert sizes[0] == (1100, 260)
    assert sizes[1] == (1100, 780)
    assert training_png([FLOW]) == training_png([FLOW])


def test_what_was_measured_once_is_no_curve():
    assert training_png([stage("prior", 1, nats=[2.5])]) == b""
    page = training_page("zscore", [stage("prior", 1, nats=[2.5])], "done")
    assert "nats 2.5" in page
    assert "<img" not in page
    assert "closed form" in page


def test_the_page_needs_nothing_from_elsewhere_and_shows_text_as_text():
    page = training_page("<b>x</b>", [FLOW], "</pre><script>alert(1)</script>")
    assert "<script" not in page
    assert "<b>x" not in page
    assert not re.search(r"(src|href)\s*=\s*['\"]?http", page)
    assert "Research use, not a medical device" in page


def test_the_table_tells_what_a_stage_took_and_how_many_vectors_a_second():
    page = training_page("quick", [FLOW, stage("tokens", 1, perplexity=[9.0])], "")
    assert "<td>10.0</td>" in page
    assert "loss 1," in page
    assert "healthy vectors beyond the boundary 0.05," in page
    assert "5,120 tokens a second" in page


@pytest.mark.parametrize("count", [1, 7, 200])
def test_smoothing_is_a_mean_of_neighbours(count):
    values = np.random.default_rng(0).normal(size=count)
    reach = max(1, count // 20)
    wanted = [values[max(0, i - reach) : i + reach + 1].mean() for i in range(count)]
    assert np.allclose(smoothed(values), wanted)
