from dataclasses import replace
from pathlib import Path

from slicenet.datasets import LAYOUTS, Scan
from slicenet.datasets.layout import joined


def test_images_of_one_visit_are_joined_and_a_second_of_a_kind_is_never_lost():
    one, two, three = Path("1"), Path("2"), Path("3")
    found = [("x", "T1w", one), ("x", "T2w", two), ("x", "T1w", three), ("y", "T1w", two)]
    assert joined(found) == [
        ("x", {"T1w": one, "T2w": two}), ("x", {"T1w": three}), ("y", {"T1w": two}),
    ]  # fmt: skip


def test_of_each_visit_the_first_version_is_preferred_that_is_there():
    raw = Scan("a", {}, version="raw")
    other = replace(raw, subject="b")
    ready = replace(raw, version="preproc")
    assert LAYOUTS["msseg"].preferred([raw, ready, other]) == [ready, other]


def test_sets_without_modalities_hold_pictures():
    flat = {name for name, layout in LAYOUTS.items() if layout.flat}
    assert flat == {"br35h", "mvtec"}
