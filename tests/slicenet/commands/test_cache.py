import json

import torch

from slicenet.cache import Cache
from slicenet.features import FeatureMap


def test_the_cache_is_shown_and_cleared(slicenet, tmp_path, monkeypatch):
    monkeypatch.setenv("SLICENET_CACHE", str(tmp_path))
    Cache().store("ab", FeatureMap(torch.ones(8, 2), torch.ones(2, 2, 2, dtype=torch.bool)))
    shown = json.loads(slicenet("cache", "--json").stdout)
    assert (shown["maps"], shown["folder"]) == (1, str(tmp_path))
    assert "cleared" in slicenet("cache", "--clear").stdout
    assert Cache().size() == (0, 0)
