"""Equations as trees that say what their source says."""

from xml.etree import ElementTree

import pytest

from docs.builder.mathml import mathml


@pytest.mark.parametrize("display", ["inline", "block"])
def test_an_equation_is_whole_xml_with_its_source(display):
    root = ElementTree.fromstring(mathml(r"a < \frac{1}{2}", display))
    assert root.get("alttext") == r"a < \frac{1}{2}"
    assert root.get("display") == display
    space = "{http://www.w3.org/1998/Math/MathML}"
    numbers = [one.text for one in root.iter(f"{space}mn")]
    assert numbers == ["1", "2"]
    assert len(list(root.iter(f"{space}mfrac"))) == 1
