import pytest

from slicenet.errors import ConfigError
from slicenet.phantom.settings import PhantomSettings


def test_the_defaults_are_allowed():
    assert PhantomSettings().spacing == 2.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"spacing": 0.1},
        {"contrasts": ("T1",)},
        {"contrasts": ()},
        {"contrasts": ("T1w", "T1w")},
        {"kinds": ("bright", "blob")},
        {"template": "colin27"},
        {"smallest": 12.0, "largest": 8.0},
        {"most_lesions": 0},
        {"strength": -1.0},
        {"noise": float("nan")},
    ],
)
def test_what_no_phantom_could_have_is_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))) as caught:
        PhantomSettings(**wrong)
    assert caught.value.code == "E_SETTING"
