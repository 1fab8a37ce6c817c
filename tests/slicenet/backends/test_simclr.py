import pytest

from slicenet import presets
from slicenet.backends.simclr import SimClr
from slicenet.recipe import resolve


def test_the_gaussian_is_that_of_each_place_on_a_logarithm():
    scorer = SimClr().build().scorer
    assert scorer.settings.covariance == "position"
    assert scorer.settings.log


@pytest.mark.parametrize("name", [name for name in presets.names() if name.startswith("simclr")])
def test_the_frame_of_every_preset_is_whole_cells(name):
    backend = resolve(name).backend
    cell = backend.simclr.encoder.cells()[backend.simclr.target]
    assert all(size % cell == 0 for size in backend.build().frame.shape)


def test_the_published_preset_reads_cells_of_eight_millimetres():
    backend = resolve("simclr-published").backend
    assert backend.simclr.encoder.cells()[backend.simclr.target] == 8
    assert backend.frame.spacing == (1.0, 1.0, 1.0)
    assert backend.simclr.learn.bank == 1024
