import numpy as np
import pytest

from slicenet.errors import ConfigError
from slicenet.phantom.randomness import Purpose, Streams


def draw(seed, index, purpose, detail=0):
    return Streams(seed, index).of(purpose, detail).standard_normal(4)


def test_equal_arguments_give_equal_numbers_from_the_beginning():
    streams = Streams(3, 1)
    streams.of(Purpose.SHAPE).standard_normal(100)
    assert np.array_equal(streams.of(Purpose.SHAPE).standard_normal(4), draw(3, 1, Purpose.SHAPE))


def test_seed_index_purpose_and_detail_all_matter():
    drawn = [
        draw(3, 1, Purpose.SHAPE),
        draw(1, 3, Purpose.SHAPE),
        draw(3, 1, Purpose.TISSUE),
        draw(3, 1, Purpose.SHAPE, 1),
        draw(3, 2, Purpose.SHAPE),
    ]
    assert len({numbers.tobytes() for numbers in drawn}) == len(drawn)


def test_negative_seeds_are_refused():
    with pytest.raises(ConfigError):
        Streams(-1, 0)
