import subprocess
import sys
import textwrap

import pytest
import torch

from slicenet.timm_door import timm

# What a torchvision that was built for another torch does when it is imported.
FOREIGN = """
    import torch

    @torch.library.register_fake("torchvision::nms")
    def nms(dets, scores, iou_threshold): ...

    @torch.library.register_fake("torchvision::qnms")
    def qnms(dets, scores, iou_threshold): ...
"""
MATCHING = """
    import torch

    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor boxes) -> Tensor")
"""
TIMM = """
    import torchvision

    answer = 42
"""


@pytest.fixture
def python(tmp_path):
    """Run code where only the given torchvision, and a timm that imports it, are to be had."""

    def run(torchvision: str, code: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "torchvision.py").write_text(textwrap.dedent(torchvision))
        (tmp_path / "timm.py").write_text(textwrap.dedent(TIMM))
        start = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        return subprocess.run(
            [sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60
        )

    return run


def test_timm_dies_beside_a_foreign_torchvision_when_it_is_imported_plainly(python):
    run = python(FOREIGN, "import timm")
    assert "operator torchvision::nms does not exist" in run.stderr


def test_timm_comes_through_the_door_beside_a_foreign_torchvision(python):
    run = python(FOREIGN, "from slicenet.timm_door import timm; print(timm.answer)")
    assert run.stdout == "42\n", run.stderr


def test_a_torchvision_that_fits_keeps_its_own_operators(python):
    code = "from slicenet.timm_door import timm; print(torch.ops.torchvision.nms.default._schema)"
    run = python(MATCHING, f"import torch; {code}")
    assert run.stdout == "torchvision::nms(Tensor boxes) -> Tensor\n", run.stderr


@pytest.mark.parametrize("failure", ["RuntimeError('of another kind')", "ImportError('absent')"])
def test_other_failures_of_torchvision_are_not_swallowed(python, failure):
    run = python(f"raise {failure}", "import slicenet.timm_door")
    assert run.stderr.strip().endswith(failure.replace("('", ": ").removesuffix("')"))


def test_the_timm_that_is_installed_builds_a_backbone():
    backbone = timm.create_model("test_resnet", features_only=True, out_indices=(2, 3))
    maps = backbone.eval()(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[2:]) for m in maps] == [(8, 8), (4, 4)]
