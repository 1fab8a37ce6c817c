from pathlib import Path

from slicenet.output.places import DESCRIPTION, data_set, linked, place, uri


def test_a_place_leads_from_the_folder_to_the_file(tmp_path):
    image = tmp_path / "in" / "deep" / "a.nii"
    image.parent.mkdir(parents=True)
    image.write_text("image")
    out = tmp_path / "far" / "out"
    assert place(image, out) == "../../in/deep/a.nii"
    out.mkdir(parents=True)
    assert (out / place(image, out)).read_text() == "image"


def test_a_relative_name_is_taken_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert place(tmp_path / "in" / "a.nii", Path("out")) == "../in/a.nii"


def test_links_of_folders_lead_nowhere_else_and_a_file_keeps_its_name(tmp_path):
    (tmp_path / "store" / "deep").mkdir(parents=True)
    (tmp_path / "store" / "key").write_text("image")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.nii").symlink_to(tmp_path / "store" / "key")
    (tmp_path / "out").symlink_to(tmp_path / "store" / "deep")
    found = place(tmp_path / "in" / "a.nii", tmp_path / "out")
    assert found.endswith("in/a.nii")
    assert (tmp_path / "out" / found).read_text() == "image"


def data_set_of(folder):
    folder.mkdir(parents=True)
    (folder / DESCRIPTION).write_text("{}")
    return folder


def test_a_uri_names_the_data_set_and_the_path_in_it(tmp_path):
    image = data_set_of(tmp_path / "my set") / "sub-1" / "anat" / "a b.nii"
    out = data_set_of(tmp_path / "out")
    links = linked([image], out, {})
    assert links == {"myset": "../my set"}
    assert uri(image, out, links) == "bids:myset:sub-1/anat/a%20b.nii"
    assert uri(out / "sub-1" / "a.json", out, links) == "bids::sub-1/a.json"
    assert uri(tmp_path / "loose.nii", out, links) == "../loose.nii"


def test_the_nearest_data_set_is_the_one_that_a_file_lies_in(tmp_path):
    inner = data_set_of(data_set_of(tmp_path / "raw") / "derivatives" / "prepared")
    assert data_set(inner / "sub-1" / "a.nii") == inner
    assert data_set(tmp_path / "raw" / "sub-1" / "a.nii") == tmp_path / "raw"
    assert data_set(tmp_path / "a.nii") is None


def test_names_of_earlier_runs_stay_and_are_not_given_twice(tmp_path):
    images = [data_set_of(tmp_path / where / "raw") / "a.nii" for where in "abc"]
    first = linked(images[1:2], tmp_path / "out", {})
    assert first == {"raw": "../b/raw"}
    every = linked(images, tmp_path / "out", first)
    assert every == {"raw": "../b/raw", "raw2": "../a/raw", "raw3": "../c/raw"}
    assert linked(images, tmp_path / "out", every) == every
