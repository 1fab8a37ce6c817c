"""The public surface, pinned: a change here is a change for users."""

import subprocess
import sys

import slicenet

SURFACE = [
    "BACKENDS",
    "AnomalyMap",
    "CategoricalTable",
    "Cohort",
    "Detector",
    "SlicenetError",
    "Volume",
    "find_cohort",
    "load",
]


def test_the_public_names_are_these_and_all_can_be_had():
    assert slicenet.__all__ == SURFACE
    assert all(getattr(slicenet, name) for name in SURFACE)
    assert set(SURFACE) <= set(dir(slicenet))
    assert not hasattr(slicenet, "nothing_of_this_name")


def test_the_methods_that_users_call_keep_their_names():
    for owner, names in {
        slicenet.Detector: ("fit", "calibrate", "score"),
        slicenet.CategoricalTable: ("fit", "score"),
        slicenet.AnomalyMap: ("worst", "mask", "write", "write_mask", "_repr_html_"),
    }.items():
        assert all(callable(getattr(owner, name)) for name in names)


def test_importing_slicenet_waits_for_nothing_heavy():
    code = "import slicenet, sys; print([m for m in ('torch', 'nibabel') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
