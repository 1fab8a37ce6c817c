from slicenet.subjects import numbered, whose


def test_a_volume_without_a_subject_is_of_its_own_whatever_it_is_called():
    assert whose("p7", "array", 3) == whose("p7", "other", 5) == "p7"
    own = [whose("", "array", place) for place in range(12)]
    assert len(set(own)) == 12


def test_volumes_without_subjects_are_sorted_by_their_names():
    names = ["scan", "scan 2", "a", "scan-1", "scan10", "scan1", "b!"]
    order = sorted(range(7), key=names.__getitem__)
    assert sorted(range(7), key=lambda place: whose("", names[place], 9 - place)) == order


def test_numbers_follow_the_first_appearance():
    assert numbered(["b", "a", "b", "c", "a"]) == [0, 1, 0, 2, 1]
    assert numbered(iter("zyx")) == [0, 1, 2]
    assert numbered([]) == []


def test_who_is_nobody_is_of_its_own():
    assert numbered(["", "a", "", "a", "", "1"]) == [0, 1, 2, 1, 3, 4]
