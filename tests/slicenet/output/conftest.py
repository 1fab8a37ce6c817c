"""A small calibrated model, cases for it, and the folder that takes their maps."""

import pytest

from slicenet.backends.histeq import HistEq
from slicenet.cache import Cache
from slicenet.checkpoint import Model
from slicenet.cohort import find_cohort
from slicenet.frame import FrameSettings
from slicenet.images.write import write_map
from slicenet.output import Output

BACKEND = HistEq(frame=FrameSettings(spacing=(4.0, 4.0, 4.0)))


@pytest.fixture(scope="session")
def model(make_brain, tmp_path_factory):
    detector = BACKEND.build()
    detector.fit([make_brain(0)], cache=Cache(tmp_path_factory.mktemp("cache")))
    detector.calibrate([make_brain(1), make_brain(2)])
    return Model(detector, "histeq", BACKEND, digest="m1")


@pytest.fixture
def cases(tmp_path, make_brain):
    volume = make_brain(5)
    for name in ("sub-1_ses-2_T2w", "plain"):
        write_map(tmp_path / "in" / f"{name}.nii.gz", volume.voxels[0].numpy(), volume.grid)
    return find_cohort([tmp_path / "in"]).cases


@pytest.fixture
def output(tmp_path, model):
    """The folder `out` for maps of `model`, or of another, at a threshold."""

    def make(threshold="fpr:0.01", model=model, **more):
        return Output(tmp_path / "out", model, threshold, {"volume": None}, **more)

    return make


@pytest.fixture
def fill():
    """Score cases into an output; the rows of its table."""

    def run(made, cases):
        made.start(cases)
        for case in cases:
            made.write(case, made.model.detector.score(case.read()))
        return made.finish()

    return run
