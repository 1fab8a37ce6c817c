import tomllib
from dataclasses import dataclass

import pytest

from slicenet.config import dump, merge, overlay, parse_assignments, paths, read_table, suggest
from slicenet.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    share: float = 0.5
    sizes: tuple[float, ...] = (1.0, 2.0)

    def __post_init__(self):
        if self.share > 1:
            raise ConfigError("share: at most 1")


@dataclass(frozen=True)
class Outer:
    name: str = "plain"
    count: int = 3
    loud: bool = False
    inner: Inner = Inner()


def test_values_take_the_type_of_their_defaults():
    settings = overlay(Outer(), {"inner": {"share": 1, "sizes": [3, 4]}, "count": 4})
    assert settings == Outer(count=4, inner=Inner(1.0, (3.0, 4.0)))
    assert isinstance(settings.inner.share, float)
    assert all(isinstance(size, float) for size in settings.inner.sizes)


def test_an_unknown_setting_is_named_with_what_was_meant():
    with pytest.raises(ConfigError, match=r"inner\.shrae: no such setting; did you mean share\?"):
        overlay(Outer(), {"inner": {"shrae": 1}})


@pytest.mark.parametrize(
    "table",
    [
        {"count": 1.5},
        {"count": True},
        {"loud": 1},
        {"name": 3},
        {"inner": 3},
        {"inner": {"sizes": ["a"]}},
        {"inner": {"share": 10**400}},
    ],
)
def test_e77_a_wrong_type_is_refused(table):
    with pytest.raises(ConfigError, match="expected"):
        overlay(Outer(), table)


@pytest.mark.parametrize("name", ["two\nlines", "\x07", "\udcff"])
def test_e77_what_cannot_be_printed_is_refused(name):
    with pytest.raises(ConfigError, match=r"name: .* cannot be printed") as caught:
        overlay(Outer(), {"name": name})
    assert str(caught.value).isprintable()


def test_a_check_of_the_settings_says_where_it_failed():
    with pytest.raises(ConfigError, match=r"inner\.share: at most 1"):
        overlay(Outer(), {"inner": {"share": 2.0}})


def test_assignments_become_a_nested_table_and_bare_words_strings():
    table = parse_assignments(["inner.sizes=[2, 3]", "name=both", "loud=true", 'count="3"'])
    assert table == {"inner": {"sizes": [2, 3]}, "name": "both", "loud": True, "count": "3"}


@pytest.mark.parametrize("bad", ["count", "=3"])
def test_an_assignment_needs_a_name_and_a_value(bad):
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_assignments([bad])


def test_an_assignment_below_a_value_is_refused():
    with pytest.raises(ConfigError, match="was given a value"):
        parse_assignments(["inner=3", "inner.share=1"])


def test_what_is_dumped_is_read_back_by_tomllib():
    table = {
        "name": 'a "b" \\ c',
        "count": 3,
        "loud": True,
        "inner": {"sizes": (1.0, 1e-9), "deep": {"x": "y"}},
    }
    text = dump(table, {"count": "default", "inner.deep.x": "file"})
    assert tomllib.loads(text) == {**table, "inner": {"sizes": [1.0, 1e-9], "deep": {"x": "y"}}}
    assert "count = 3  # default" in text


def test_merging_replaces_values_and_keeps_the_rest():
    assert merge({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}, "d": {"e": 5}}) == {
        "a": {"b": 4, "c": 2},
        "d": {"e": 5},
    }


def test_paths_name_every_value():
    assert dict(paths({"a": {"b": 1}, "c": 2})) == {"a.b": 1, "c": 2}


@pytest.mark.parametrize(
    "text", ["a = [1,", "a = \udcff", f"a = {'[' * 5000}", f"a = {'9' * 5000}"]
)
def test_e77_a_file_that_is_not_toml_is_refused(tmp_path, text):
    assert parse_assignments([text.replace(" ", "")]) == {"a": text.removeprefix("a = ")}
    (tmp_path / "bad.toml").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(ConfigError, match="not TOML"):
        read_table(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="No such file"):
        read_table(tmp_path / "none.toml")


def test_no_suggestion_is_made_where_nothing_is_close():
    assert suggest("zzz", ["share", "count"]) == "have count, share"
