import json

from slicenet import journal as journals
from slicenet.journal import journal, read_journal


class Heard(list):
    def __call__(self, stage, done, total, **values):
        self.append((stage, done, total, values))


def tell(watch):
    """A training of two stages, the first of which comes again."""
    for step in (1, 2, 3):
        watch("flow", step, 3, loss=1.0 / step, **({"held": -2.0} if step == 3 else {}))
    watch("tokens", 1, 1, perplexity=7.5)
    for step in (1, 2):
        watch("flow", step, 2, loss=5.0 * step)


def test_what_is_told_is_written_and_passed_on(tmp_path):
    heard = Heard()
    tell(journal(tmp_path / "metrics.jsonl", heard))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["done"], line["total"]) for line in lines] == [
        one[:3] for one in heard
    ]
    assert lines[2]["held"] == -2.0
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)


def test_a_journal_begins_anew(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("of another training\n")
    tell(journal(path, Heard()))
    assert len(read_journal(path)) == 3


def test_stages_are_read_back_and_one_that_begins_anew_is_another(tmp_path):
    tell(journal(tmp_path / "m", Heard()))
    first, once, again = read_journal(tmp_path / "m")
    assert (first.name, first.total, first.steps) == ("flow", 3, (1, 2, 3))
    assert first.values["loss"] == ((1, 1.0), (2, 0.5), (3, 1 / 3))
    assert first.values["held"] == ((3, -2.0),)
    assert once.values == {"perplexity": ((1, 7.5),)}
    assert again.steps == (1, 2)
    assert len(again.seconds) == 2


def test_the_same_training_goes_on_in_its_journal(tmp_path, monkeypatch):
    """Killed after step 4 of the flow, kept at 2: what was done twice is told once."""
    path, clock = tmp_path / "m", iter(range(0, 1000, 10))
    monkeypatch.setattr(journals.time, "monotonic", lambda: next(clock))
    first = journal(path, Heard(), training="a")
    first("describe", 1, 1)
    for step in (1, 2, 3, 4):
        first("flow", step, 6, loss=float(step))
    with path.open("a") as file:
        file.write('{"stage": "flo')
    again = journal(path, Heard(), training="a")
    again("describe", 1, 1)
    for step in (3, 4, 5, 6):
        again("flow", step, 6, loss=-float(step))
    again("calibrate", 1, 1)
    describe, flow, calibrate = read_journal(path)
    assert flow.values["loss"] == ((1, 1.0), (2, 2.0), (3, -3.0), (4, -4.0), (5, -5.0), (6, -6.0))
    assert (describe.seconds, flow.seconds) == ((10,), (20, 30, 40, 50, 60, 70))
    assert calibrate.seconds == (80,)
    journal(path, Heard(), training="b")
    assert not path.exists()
