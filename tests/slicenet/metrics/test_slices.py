from dataclasses import replace

import numpy as np

from slicenet.metrics.slices import axial_slices


def test_slices_are_axial_and_score_their_highest_brain_voxel(make_case):
    case = make_case(1)
    scores = case.scores.copy()
    scores[~case.brain] = 99
    slices = axial_slices(replace(case, scores=scores).crop())
    held = [z for z in range(15) if case.brain[:, :, z].any()]
    assert len(held) < 15
    highest = [case.scores[:, :, z][case.brain[:, :, z]].max() for z in held]
    marked = [(case.truth & case.brain)[:, :, z].any() for z in held]
    assert np.array_equal(slices.scores, highest)
    assert slices.lesioned.tolist() == marked


def test_a_slice_in_the_middle_without_brain_is_left_out(make_case):
    case = make_case(1)
    brain = case.brain.copy()
    brain[:, :, 7] = False
    slices = axial_slices(replace(case, brain=brain).crop())
    assert len(slices.scores) == brain.any((0, 1)).sum()
    assert np.isfinite(slices.scores).all()


def test_their_histogram_holds_each_slice_once(make_case):
    slices = axial_slices(make_case(1).crop())
    histogram = slices.histogram()
    assert histogram.positives.sum() == slices.lesioned.sum()
    assert histogram.negatives.sum() == (~slices.lesioned).sum()
