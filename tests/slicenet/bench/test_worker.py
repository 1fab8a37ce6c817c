import io
import json

import numpy as np
import pytest
from safetensors.torch import save_file

from slicenet.bench.published import whole_network
from slicenet.bench.subject import SubjectSettings, keep, subject
from slicenet.bench.worker import Task, work


@pytest.mark.parametrize("way", ["published", "float32"])
def test_each_order_is_answered_and_the_map_is_kept(tmp_path, way):
    weights = tmp_path / "whole.safetensors"
    save_file(whole_network("resnet50").state_dict(), weights)
    brain = tmp_path / "brain.safetensors"
    keep(subject(SubjectSettings(32, 3, "procedural")), brain)
    task = Task(way, "resnet50", str(weights), 1, str(brain), str(tmp_path / "map.npy"))
    answers = io.StringIO()
    work(task.text(), io.StringIO("\n\n"), answers)
    ready, first, second = map(json.loads, answers.getvalue().splitlines())
    assert ready == {"ready": True, "group": 3 if way == "published" else 0}
    for answer in (first, second):
        assert min(answer[stage] for stage in ("backbone", "pooling", "flow")) > 0
        assert sum(shape[0] for shape in answer["shapes"]) == 3
    assert second["peak_gb"] >= first["peak_gb"] > 0.1
    assert np.load(task.out).shape == (4, 4, 1)
