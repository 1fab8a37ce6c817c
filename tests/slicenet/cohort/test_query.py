import pytest

from slicenet.cohort.naming import parse
from slicenet.cohort.query import Query

NAME = parse("sub-01_ses-b_space-MNI_desc-brain_T1w.nii.gz")
BARE = parse("sub-02_T2w.nii.gz")


@pytest.mark.parametrize(
    ("key", "label", "prefixed"),
    [("participant_label", "01", "sub-01"), ("session", "b", "ses-b"), ("suffix", "T1w", "T1w"),
     ("space", "MNI", "space-MNI"), ("desc", "brain", "desc-brain")],
)  # fmt: skip
def test_each_filter_takes_its_label_with_and_without_the_entity(key, label, prefixed):
    for given in (label, prefixed):
        query = Query(**{key: (given,)})
        assert query.accepts(NAME)
        assert not query.accepts(BARE)
        assert query.filters


@pytest.mark.parametrize("key", ["session", "space", "desc"])
def test_none_asks_for_names_without_the_entity(key):
    query = Query(**{key: ("none",)})
    assert query.accepts(BARE)
    assert not query.accepts(NAME)


def test_several_labels_of_one_filter_are_alternatives_and_several_filters_add_up():
    assert Query(participant_label=("01", "02")).accepts(BARE)
    assert not Query(participant_label=("01", "02"), suffix=("T1w",)).accepts(BARE)


def test_nothing_asked_accepts_everything():
    assert Query().accepts(NAME)
    assert not Query().filters


def test_sequences_are_suffixes_too():
    query = Query(sequences=("T2w", "FLAIR"))
    assert query.accepts(BARE)
    assert not query.accepts(NAME)
