import os
import random
from pathlib import Path

import pytest

from slicenet.cohort.find import hold_volumes
from slicenet.errors import ConfigError, NoInputError, VolumeError

ROOT = (
    "dataset_description.json",
    "sub-2/anat/sub-2_T1w.nii.gz",
    "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii",
    "sub-1/ses-a/anat/sub-1_ses-a_FLAIR.nii",
    "derivatives/x/sub-1/anat/sub-1_desc-x_T1w.nii",
)


def names(cohort):
    return [case.name for case in cohort.cases]


def test_a_file_several_a_folder_and_a_pattern_give_the_same_cases(find, tree):
    top = tree("d/b.nii", "d/a.nii.gz", "d/a_mask.nii.gz")
    for places in ([top / "d"], [top / "d/*.nii*"], sorted((top / "d").iterdir(), reverse=True)):
        cohort = find(*places)
        assert names(cohort) == ["a", "b"]
        assert cohort.cases[0].mask == top / "d/a_mask.nii.gz"
    assert names(find(top / "d/a.nii.gz")) == ["a"]


def test_a_bids_root_gives_its_t1w_images_and_says_what_it_passed_over(find, tree):
    cohort = find(tree(*ROOT))
    assert names(cohort) == ["sub-1_ses-a", "sub-2"]
    said = {notice.code: notice.message for notice in cohort.notices}
    assert "derivatives/" in said["W_SKIPPED"]
    assert "1 FLAIR" in said["W_LEFT_OUT"]


def test_filters_and_sequences_reach_into_a_bids_root(find, tree):
    top = tree(*ROOT)
    assert names(find(top, participant_label=("1",))) == ["sub-1_ses-a"]
    assert names(find(top, suffix=("FLAIR",))) == ["sub-1_ses-a_FLAIR"]
    joined = find(top, sequences=("T1w", "FLAIR"))
    assert [len(case.images) for case in joined.cases] == [2]
    assert "sub-2 (no FLAIR)" in " ".join(notice.message for notice in joined.notices)


def test_a_table_is_joined_with_folders_and_filtered_like_them(find, tree):
    top = tree("t/sub-3_T1w.nii", "d/sub-1_T1w.nii", t__csv="path,group\nt/sub-3_T1w.nii,x\n")
    cohort = find(top / "t.csv", top / "d")
    assert names(cohort) == ["sub-1", "sub-3"]
    assert cohort.cases[1].group == "x"
    assert names(find(top / "t.csv", top / "d", participant_label=("3",))) == ["sub-3"]


def test_filters_look_at_the_files_of_a_table_and_at_ids_where_those_say_nothing(find, tree):
    table = "T1w,FLAIR,id\nsub-1_T1w.nii,x.nii,first\na.nii,b.nii,sub-2\n"
    top = tree("sub-1_T1w.nii", "x.nii", "a.nii", "b.nii", t__csv=table)
    sequences = ("T1w", "FLAIR")
    for label, name in (("1", "first"), ("2", "sub-2")):
        cohort = find(top / "t.csv", sequences=sequences, participant_label=(label,))
        assert names(cohort) == [name]


def test_the_order_on_disk_does_not_matter(find, tmp_path):
    stems = [f"c{number:02}" for number in range(30)]
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for stem in random.Random(seed).sample(stems, len(stems)):
            (folder / f"{stem}.nii").touch()
        assert names(find(folder)) == stems


def test_a_file_that_is_named_twice_counts_once(find, tree, monkeypatch):
    top = tree("d/a.nii")
    monkeypatch.chdir(top)
    assert names(find(top / "d/a.nii", top / "d", Path("d/a.nii"))) == ["a"]


def test_e76_files_of_one_name_in_two_folders_are_refused_before_work(find, tree):
    with pytest.raises(VolumeError) as caught:
        find(tree("p1/T1.nii", "p2/T1.nii"))
    assert caught.value.code == "E_COLLISION"


def test_e75_hostile_names_stay_below_the_output_folder(find, tmp_path):
    for name in (b"-x.nii", b"a\nb.nii", b"caf\xe9.nii", b"sub-.._T1w.nii", b"x" * 251 + b".nii"):
        try:
            Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).touch()
        except OSError:
            pytest.skip("this file system does not take the name")
    out = Path("/out")
    cases = find(tmp_path).cases
    assert len(cases) == 5
    for case in cases:
        target = out / case.folder / f"{case.prefix}_desc-anomaly_heatmap.nii.gz"
        assert out in Path(os.path.normpath(target)).parents
        assert len(os.fsencode(target.name)) <= 255
        assert str(target).isprintable()


def test_a_mask_for_the_only_input_is_taken_and_for_several_refused(find, tree):
    top = tree("a.nii", "b.nii", "m.dat")
    assert find(top / "a.nii", mask=top / "m.dat").cases[0].mask == top / "m.dat"
    with pytest.raises(ConfigError, match="one mask for 2 inputs"):
        find(top, mask=top / "m.dat")
    with pytest.raises(NoInputError, match="no such file"):
        find(top / "a.nii", mask=top / "gone")


@pytest.mark.parametrize(
    "files", [[], ["a.txt"], ["a_mask.nii", "sub-1_dseg.nii"], ["a_desc-anomaly_heatmap.nii"]]
)
def test_e71_nothing_usable_says_what_was_looked_for(find, tree, files):
    with pytest.raises(NoInputError) as caught:
        find(tree(*files))
    assert caught.value.code == "E_NO_INPUT"
    assert ".nii.gz" in caught.value.hint


def test_filters_that_let_nothing_pass_say_what_there_is(find, tree):
    with pytest.raises(NoInputError) as caught:
        find(tree(*ROOT), suffix=("T2w",))
    assert caught.value.hint == "there are: ses a none; space none; desc none; suffix FLAIR T1w"


def test_a_mask_alone_is_no_input(find, tree):
    with pytest.raises(NoInputError):
        find(tree("a_mask.nii") / "a_mask.nii")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may list everything")
def test_a_folder_that_may_not_be_listed_is_refused_or_noted(find, tree):
    top = tree("a.nii", "shut/b.nii")
    (top / "shut").chmod(0)
    try:
        assert "W_FOLDER" in {notice.code for notice in find(top).notices}
        with pytest.raises(NoInputError):
            find(top / "shut")
    finally:
        (top / "shut").chmod(0o755)


def test_indexing_lists_each_folder_once_and_opens_no_image(find, tmp_path, monkeypatch):
    for number in range(500):
        folder = tmp_path / f"d{number % 5}" / f"e{number % 50}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"c{number:05}.nii").touch()
        (folder / f"c{number:05}_mask.nii").touch()
    table = tmp_path / "t.csv"
    images = sorted(tmp_path.rglob("*[0-9].nii"))
    table.write_text("path,id\n" + "".join(f"{path},x{path.stem}\n" for path in images))
    listed, scandir = [], os.scandir
    opened, opens = [], os.open
    monkeypatch.setattr("os.scandir", lambda path: listed.append(path) or scandir(path))
    monkeypatch.setattr("os.open", lambda path, *how: opened.append(path) or opens(path, *how))
    monkeypatch.setattr("io.open", None)
    cohort = find(tmp_path, table)
    monkeypatch.undo()
    assert opened == [table]
    assert len(cohort) == 1000
    assert all(case.mask for case in cohort.cases)
    assert len(listed) == len(set(listed)) == 56


def test_pictures_are_cases_where_there_are_no_volumes(find, tree):
    top = tree("a.png", "b.JPG", "b_mask.png", "b_label-lesion_mask.png", "notes.txt")
    cohort = find(top)
    assert names(cohort) == ["a", "b"]
    assert cohort.flat
    assert cohort.cases[1].mask == top / "b_mask.png"
    assert cohort.cases[1].truth == top / "b_label-lesion_mask.png"
    assert names(find(top / "a.png", top / "b.JPG")) == ["a", "b"]
    assert not hold_volumes([top])


def test_pictures_beside_volumes_are_passed_over_and_named_if_somebody_wanted_them(find, tree):
    top = tree("scans/a.nii", "scans/figures/a.png", "other/b.png", "yes/y0.jpg")
    assert names(find(top / "scans")) == ["a"]
    assert not find(top / "scans").notices
    cohort = find(top / "scans", top / "other/b.png", top / "yes")
    assert names(cohort) == ["a"]
    told = [notice.message for notice in cohort.notices if notice.code == "W_SKIPPED"]
    assert told == ["passed over (pictures beside volumes): b.png, y0.jpg"]
    assert hold_volumes([top])


SEGMENTED = (
    "dataset_description.json", "sub-1/anat/sub-1_T1w.nii", "sub-1/anat/sub-1_desc-brain_mask.nii",
    "sub-1/anat/sub-1_dseg.nii", "sub-1/anat/sub-1_label-lesion_mask.nii",
    "sub-2/anat/sub-2_dseg.nii", "sub-2/anat/sub-2_label-GM_probseg.nii",
    "sub-2/anat/sub-2_label-lesion_dseg.nii", "sub-2/anat/sub-2_label-anomaly_dseg.nii",
)  # fmt: skip


def test_where_labels_are_wanted_segmentations_are_the_cases(find, tree):
    top = tree(*SEGMENTED)
    for wanted in ({"labels": True}, {"suffix": ("dseg",)}):
        cohort = find(top, **wanted)
        assert names(cohort) == ["sub-1_dseg", "sub-2_dseg"]
        here = top / "sub-1/anat"
        assert cohort.cases[0].mask == here / "sub-1_desc-brain_mask.nii"
        assert cohort.cases[0].truth == here / "sub-1_label-lesion_mask.nii"
        assert "sub-1_dseg" not in str(cohort.notices)
    assert names(find(top)) == ["sub-1"]


def test_a_segmentation_named_outright_is_a_case_where_labels_are_wanted(find, tree):
    top = tree("a_seg.nii", "a.nii", "a_mask.nii")
    assert names(find(top / "a_seg.nii", labels=True)) == ["a_seg"]
    assert names(find(top, labels=True)) == ["a_seg"]
    with pytest.raises(NoInputError, match="no images"):
        find(top / "a_seg.nii")


def test_where_nothing_is_called_a_segmentation_any_image_may_be_one(find, tree):
    assert names(find(tree("a.nii", "b.nii"), labels=True)) == ["a", "b"]
