from pathlib import Path

from slicenet.output.places import place


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
