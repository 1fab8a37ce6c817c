from slicenet.datasets.files import Files


def test_whole_paths_are_matched_also_where_a_folder_inside_was_named(tree, monkeypatch):
    monkeypatch.chdir(tree("set/yes/y1.jpg", "set/.hidden/y2.jpg"))
    assert [match[1] for match, _ in Files.below("set").matching(r"/yes/(\w+)")] == ["y1"]
    monkeypatch.chdir("set/yes")
    assert [match[1] for match, _ in Files.below(".").matching(r"/yes/(\w+)")] == ["y1"]


def test_images_are_what_ends_like_one(tree):
    top = tree("a.nii", "b.NII.GZ", "c.jpeg", "d.csv", "e.img")
    assert [path.name for _, path in Files.below(top).images] == [
        "a.nii", "b.NII.GZ", "c.jpeg", "e.img",
    ]  # fmt: skip


def test_the_first_name_that_is_there_is_taken_packed_or_not(tree):
    top = tree("b.nii", "c.nii.gz")
    files = Files.below(top)
    assert files.first(top, "a", "b", "c") == top / "b.nii"
    assert files.first(top, "a") is None
