import re
from xml.etree import ElementTree

import pytest

from slicenet.report.plot import WIDTH, Line, distribution


def circles(svg):
    return {
        circle.find("title").text: (float(circle.get("cx")), float(circle.get("cy")))
        for circle in ElementTree.fromstring(svg).iter("circle")
    }


def test_every_score_is_a_dot_in_order_on_one_axis():
    healthy = Line("healthy", [1.0, 2.0, 3.0], "healthy")
    svg = distribution([healthy, Line("this", [2.5], "case", ["sub-1"])], "scores")
    places = circles(svg)
    assert list(places) == ["1", "2", "3", "sub-1: 2.5"]
    assert places["2"][0] < places["sub-1: 2.5"][0] < places["3"][0]
    # Even distances: a scale, not ranks.
    assert places["2"][0] - places["1"][0] == pytest.approx(
        places["3"][0] - places["2"][0], abs=0.2
    )
    assert all(0 < x < WIDTH for x, _ in places.values())


def test_dots_of_one_score_are_stacked_and_never_leave_the_plot():
    svg = distribution([Line("healthy", [1.0] * 300, "healthy")], "scores")
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', svg)]
    assert len(set(heights)) > 1
    assert min(heights) > 0


@pytest.mark.parametrize("scores", [[0.0], [5.0, 5.0], [-3e-7, 2e-7], [1e6, -1e6]])
def test_any_scores_can_be_plotted(scores):
    places = circles(distribution([Line("a", scores, "case", ["x"] * len(scores))], "scores"))
    assert all(0 <= x <= WIDTH for x, _ in places.values())


def test_names_cannot_become_markup():
    svg = distribution([Line("<b>", [1.0], "case", ["</title><script>"])], '"><script>')
    assert "<script>" not in svg
    assert "</title><script> : 1" not in svg
    assert list(circles(svg)) == ["</title><script>: 1"]
