"""What holds for every test: two threads at most, folders of its own, and no network."""

import importlib
import os
import runpy
import signal
import sys
from pathlib import Path

# Before NumPy and torch are imported, and for the processes that tests start.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"

# No network, here and in every Python that tests start.
OFFLINE = str(Path(__file__).parent / "offline")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))
runpy.run_path(f"{OFFLINE}/sitecustomize.py")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from slicenet.images.write import write_map, write_mask  # noqa: E402
from slicenet.resampling import smooth  # noqa: E402
from slicenet.volume import Volume  # noqa: E402


def pytest_collection_modifyitems(items):
    """The longest file first: begun last, it would run on while the other worker has nothing."""
    items.sort(key=lambda item: "test_contract" not in item.nodeid)


@pytest.fixture(autouse=True, scope="session")
def _folders_of_this_session(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLICENET_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("SLICENET_WEIGHTS", str(tmp_path_factory.mktemp("weights")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _few_threads():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture
def as_module(tmp_path, monkeypatch):
    """Make a module of a text, one that other interpreters can import, which a test is not."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    return write


@pytest.fixture(autouse=True, scope="session")
def _hears_ctrl_c():
    """Also where the tests run in the background of a shell, which has them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def make_brain():
    """Brains of smooth noise: an ellipsoid of about 100 mm in 3 mm voxels, healthy or not."""

    def make(seed=0, lesion=False, spacing=3.0, shape=(44, 52, 40), sequences=1):
        generator = torch.Generator().manual_seed(seed)
        anatomy = torch.Generator().manual_seed(12345)  # what all brains have in common
        common = smooth(torch.randn(sequences, *shape, generator=anatomy), (3, 3, 3)) * 20
        own = smooth(torch.randn(sequences, *shape, generator=generator), (1, 1, 1)) * 2
        spans = [1.15 if size > 1 else 0.0 for size in shape]
        axes = [torch.linspace(-s, s, size) for s, size in zip(spans, shape, strict=True)]
        distance = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2
        brain = distance < 1
        voxels = 100 + 10 * common + own
        if lesion:
            voxels[:, 24:30, 24:30, 16:22] += 40
        affine = np.diag([spacing, spacing, spacing, 1.0])
        affine[:3, 3] = -spacing * (np.array(shape) - 1) / 2
        name = f"{'lesioned' if lesion else 'healthy'}{seed}"
        return Volume(voxels * brain, brain, affine, name)

    return make


@pytest.fixture(scope="session")
def brains(make_brain, tmp_path_factory):
    """A BIDS folder: eight healthy brains and two lesioned ones with truth."""
    root = tmp_path_factory.mktemp("brains")
    rows = ["participant_id\tgroup"]
    for index in range(10):
        lesioned = index >= 8
        volume, name = make_brain(index, lesion=lesioned), f"sub-{index:02d}"
        stem = root / name / "anat" / name
        write_map(stem.with_name(f"{name}_T1w.nii.gz"), volume.voxels[0].numpy(), volume.grid)
        if lesioned:
            truth = volume.brain.numpy() & False
            truth[24:30, 24:30, 16:22] = True
            write_mask(stem.with_name(f"{name}_label-lesion_mask.nii.gz"), truth, volume.grid)
        rows.append(f"{name}\t{'lesioned' if lesioned else 'healthy'}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    return root
