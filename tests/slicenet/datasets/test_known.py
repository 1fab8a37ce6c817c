import pytest

from slicenet.datasets import LAYOUTS, Files, recognise


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_example_of_each_set_is_known_as_that_set_and_read_by_no_other(tree, name):
    top = tree(*LAYOUTS[name].tree.splitlines())
    found = recognise(top)
    assert found is not None
    assert found.layout.name == name
    assert found.foreign == ()
    readers = [other.name for other in LAYOUTS.values() if other.read(Files.below(top))]
    assert readers == [name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_set_says_where_it_is_from_and_on_which_terms(name):
    layout = LAYOUTS[name]
    assert layout.where.startswith("http")
    assert all((layout.title, layout.what, layout.terms, layout.reference, layout.roles))


@pytest.mark.parametrize(
    "names",
    [
        ("a.nii.gz", "b.nii.gz"),
        ("sub-01/anat/sub-01_T1w.nii.gz", "dataset_description.json"),
        ("yes.png", "no.png", "yes/photo.jpg"),
        ("train/cat/000.png",),
        ("patient1/T1.nii.gz", "IXI.nii.gz", "BraTS.nii.gz"),
        ("readme.txt",),
    ],
)
def test_other_folders_are_no_data_set(tree, names):
    assert recognise(tree(*names)) is None


def test_a_few_scans_of_a_set_among_others_make_no_data_set(tree):
    own = [f"mine{number}.nii.gz" for number in range(3)]
    top = tree("IXI002-Guys-0828-T1.nii.gz", "IXI012-HH-1211-T1.nii.gz", *own)
    assert recognise(top) is None
    (top / own[0]).unlink()
    found = recognise(top)
    assert found is not None
    assert [path.name for path in found.foreign] == own[1:]
