from pathlib import Path

import nibabel as nib
import pytest

from slicenet.cohort import Cohort, Query, find_cohort


@pytest.fixture
def tree(tmp_path):
    """Make empty files by their paths below one folder; names alone decide what is found."""

    def make(*names: str, **tables: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for name, text in tables.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        return tmp_path

    return make


@pytest.fixture
def find():
    """Search with filters given by name."""

    def search(*places: Path, **filters) -> Cohort:
        return find_cohort(places, query=Query(**filters))

    return search


@pytest.fixture
def brain_file(tmp_path, make_brain):
    """Write a skull-stripped brain of 3 mm voxels and return its path."""

    def write(name: str, seed: int = 0) -> Path:
        volume = make_brain(seed)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(volume.voxels[0].numpy(), volume.affine), path)
        return path

    return write
