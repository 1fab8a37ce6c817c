import csv

from slicenet.output.tsv import tsv


def test_what_python_reads_back_is_what_was_said():
    rows = [{"name": "a\tb\nc", "score": 1 / 3, "more": 1}, {"name": "d", "score": None}]
    read = list(csv.DictReader(tsv(("name", "score"), rows).splitlines(), delimiter="\t"))
    assert read == [{"name": "a b c", "score": "0.333333"}, {"name": "d", "score": "n/a"}]
