import json
import os
from pathlib import Path

import pytest

from slicenet.errors import VolumeError
from slicenet.images.printable import naming, printable


@pytest.mark.parametrize("text", ["plain.nii", "größe-脳.nii", "\N{BRAIN} a.nii", "", "C:\\a.nii"])
def test_what_can_be_printed_stays(text):
    assert printable(text) == text


def test_every_character_becomes_printable_and_survives_utf8():
    everything = "".join(map(chr, range(0x11000)))
    shown = printable(everything)
    assert shown.isprintable()
    assert json.loads(json.dumps(shown)) == shown.encode().decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}gpj", "\\u202egpj"),
        (os.fsdecode(b"\xff"), "\\udcff"),
    ],
)
def test_what_would_trick_a_terminal_is_escaped(text, shown):
    assert printable(Path(text)) == shown


def failing() -> None:
    with naming(Path("a\nb.nii")):
        raise VolumeError("is odd", "E_ODD", "mend it")


def test_an_error_says_which_file_it_was_about():
    with pytest.raises(VolumeError) as caught:
        failing()
    assert caught.value.message == "a\\nb.nii: is odd"
    assert (caught.value.code, caught.value.hint) == ("E_ODD", "mend it")


def test_without_an_error_nothing_is_said():
    with naming(Path("a.nii")):
        pass
