import threading

import pytest

from slicenet.cohort.reader import Reader
from slicenet.errors import VolumeError


class Shelf(list):
    """Numbers in place of volumes; who reads which is noted, and 3 is damaged."""

    def __init__(self, count):
        super().__init__(range(count))
        self.readers = {}

    def __getitem__(self, place):
        self.readers[place] = threading.current_thread()
        if place == 3:
            raise VolumeError("3 is damaged", "E_DAMAGED")
        return super().__getitem__(place)


@pytest.mark.parametrize("ahead", [False, True])
def test_volumes_come_in_their_order_and_damage_is_told_where_it_is(ahead):
    shelf = Shelf(6)
    with Reader(shelf, ahead) as reader:
        assert [reader.read(place) for place in range(3)] == [0, 1, 2]
        with pytest.raises(VolumeError, match="3 is damaged"):
            reader.read(3)
        assert [reader.read(place) for place in (4, 5)] == [4, 5]


@pytest.mark.parametrize("ahead", [False, True])
def test_places_may_be_passed_over(ahead):
    with Reader(Shelf(9), ahead) as reader:
        assert [reader.read(place) for place in (0, 2, 5, 8)] == [0, 2, 5, 8]


def test_the_next_is_read_by_another_thread_while_the_last_is_worked_on():
    shelf = Shelf(3)
    with Reader(shelf, ahead=True) as reader:
        reader.read(0)
        reader.read(1)
    assert set(shelf.readers) == {0, 1, 2}
    assert threading.current_thread() not in shelf.readers.values()


def test_without_it_nothing_is_read_before_it_is_asked_for():
    shelf = Shelf(3)
    with Reader(shelf, ahead=False) as reader:
        reader.read(0)
    assert shelf.readers == {0: threading.current_thread()}
