import csv
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from slicenet.cohort import find_cohort
from slicenet.errors import ConfigError, NoInputError, ResourceError
from slicenet.phantom import dataset
from slicenet.phantom.dataset import write_phantoms


@pytest.fixture(scope="module")
def tree(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("phantoms") / "tree"
    return out, write_phantoms(out, 2, 3, 5, small)


def contents(folder):
    """Bytes of every file but the lock, by name."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_tree_is_read_as_a_cohort_with_groups_masks_and_truth(tree):
    cohort = find_cohort([tree[0]])
    assert cohort.synthetic
    assert [case.group for case in cohort.cases] == ["healthy"] * 2 + ["lesioned"] * 3
    assert [case.truth is not None for case in cohort.cases] == [False] * 2 + [True] * 3
    assert all(case.mask is not None for case in cohort.cases)


def test_the_table_lists_every_subject_with_its_lesion_volume(tree):
    out, written = tree
    with (out / "participants.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [{key: str(value) for key, value in row.items()} for row in written.rows] == rows
    for row in rows[2:]:
        name = row["participant_id"]
        mask = nib.load(out / name / "anat" / f"{name}_label-lesion_mask.nii.gz")
        assert float(row["lesion_volume"]) == np.asarray(mask.dataobj).sum() * 64


def test_processes_write_the_same_bytes(tree, small, tmp_path):
    told = []
    watch = lambda stage, done, total, **values: told.append((done, total))  # noqa: E731
    write_phantoms(tmp_path / "other", 2, 3, 5, small, watch, workers=2)
    assert contents(tmp_path / "other") == contents(tree[0])
    assert told == [(done, 5) for done in range(6)]


@pytest.mark.parametrize(("workers", "helps"), [(0, False), (2, True)])
def test_102_a_subject_without_memory_is_named_with_what_would_help(
    small, tmp_path, as_module, monkeypatch, workers, helps
):
    starved = as_module("starved", "def write(subject):\n    raise MemoryError('8.00 TiB')")
    monkeypatch.setattr(dataset, "write_subject", starved.write)
    with pytest.raises(ResourceError, match=r"sub-000\d: out of memory \(8.00 TiB") as caught:
        write_phantoms(tmp_path / "out", 2, 0, 5, small, workers=workers)
    assert (caught.value.code, bool(caught.value.hint)) == ("E_MEMORY", helps)


def test_a_subject_does_not_depend_on_how_many_others_there_are(tree, small, tmp_path):
    write_phantoms(tmp_path, 2, 1, 5, small)
    whole = contents(tree[0])
    for name, content in contents(tmp_path).items():
        assert name in ("participants.tsv", "phantom.json") or whole[name] == content


def test_a_second_call_only_makes_what_is_missing(small, tmp_path):
    write_phantoms(tmp_path, 1, 1, 5, small)
    before = contents(tmp_path)
    lost = tmp_path / "sub-0002/anat/sub-0002_label-lesion_mask.nii.gz"
    kept = tmp_path / "sub-0001/anat/sub-0001_T1w.nii.gz"
    lost.unlink()
    written = kept.stat().st_mtime_ns
    assert write_phantoms(tmp_path, 1, 1, 5, small).skipped == 1
    assert contents(tmp_path) == before
    assert kept.stat().st_mtime_ns == written


def test_other_phantoms_and_foreign_files_are_never_mixed_with(tree, small, tmp_path):
    out = tree[0]
    before = contents(out)
    for arguments, differs in [
        ((2, 3, 6, small), "seed"),
        ((3, 3, 5, small), "healthy"),
        ((2, 3, 5, replace(small, mass_effect=True)), "mass_effect"),
    ]:
        with pytest.raises(ConfigError, match=differs):
            write_phantoms(out, *arguments)
    assert contents(out) == before
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="not empty"):
        write_phantoms(tmp_path, 1, 0, 5, small)
    with pytest.raises(ConfigError, match="not a folder"):
        write_phantoms(tmp_path / "letter.txt", 1, 0, 5, small)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/phantom.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        write_phantoms(tmp_path / "damaged", 1, 0, 5, small)


def test_nobody_at_all_and_no_shapes_are_refused(small, tmp_path):
    with pytest.raises(ConfigError, match="0 healthy"):
        write_phantoms(tmp_path / "out", 0, 0, 5, small)
    with pytest.raises(NoInputError, match="no lesion masks"):
        write_phantoms(tmp_path / "out", 1, 1, 5, small, shapes=tmp_path)


def test_the_base_and_its_output_lie_apart(tree, small):
    for place in (tree[0], tree[0] / "lesions", tree[0].parent):
        with pytest.raises(ConfigError, match="apart"):
            write_phantoms(place, 1, 1, 5, small, base=tree[0])


def test_shapes_give_the_place_of_the_lesion(small, tmp_path):
    cube = nib.Nifti1Image(np.pad(np.ones((8, 8, 8), np.uint8), 2), np.diag([2.0, 2, 2, 1]))
    cube.affine[:3, 3] = [20, -20, 20]  # in the white matter on the right
    cube.set_sform(cube.affine, 4)
    (tmp_path / "shapes").mkdir()
    nib.save(cube, tmp_path / "shapes/cube.nii.gz")
    rows = write_phantoms(tmp_path / "out", 0, 2, 5, small, shapes=tmp_path / "shapes").rows
    assert [row["lesions"] for row in rows] == [1, 1]
    assert all(row["lesion_volume"] == pytest.approx(16**3, rel=0.5) for row in rows)
    mask = nib.load(tmp_path / "out/sub-0001/anat/sub-0001_label-lesion_mask.nii.gz")
    inside = np.argwhere(np.asarray(mask.dataobj))
    centre = nib.affines.apply_affine(mask.affine, inside).mean(0)
    assert np.allclose(centre, [31, -9, 31], atol=3)
