from types import SimpleNamespace

import pytest

from slicenet.errors import ResourceError
from slicenet.scorers import room


def given(monkeypatch, available):
    monkeypatch.setattr(room, "memory", lambda: SimpleNamespace(available=available))


def test_what_cannot_fit_is_refused_with_both_sizes_and_advice(monkeypatch):
    given(monkeypatch, 2_500_000_000)
    room.check_room("these", 2_500_000_000, "less")
    with pytest.raises(
        ResourceError, match=r"these take 2\.6 GB, 2\.5 GB are free; less"
    ) as caught:
        room.check_room("these", 2_600_000_000, "less")
    assert caught.value.code == "E_MEMORY"


def test_a_system_that_tells_nothing_refuses_nothing(monkeypatch):
    given(monkeypatch, 0)
    room.check_room("these", 10**18, "less")
