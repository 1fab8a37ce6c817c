"""What the code says of itself, all of it."""

import tomllib

from docs.builder import generated
from slicenet.backends import BACKENDS
from slicenet.commands import main


def test_every_command_is_there_with_every_option():
    shown = "\n".join(generated.commands())
    for name, command in main.commands.items():
        assert f"## slicenet {name}\n" in shown
        text = shown.partition(f"## slicenet {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            asked = [word for word in parameter.opts if word.startswith("--")]
            assert all(word in text for word in asked)


def test_every_setting_is_there_as_a_file_that_can_be_used():
    shown = "\n".join(generated.settings())
    blocks = [part.partition("```")[0] for part in shown.split("```toml\n")[1:]]
    told = [tomllib.loads(block).get("backend") for block in blocks]
    assert told[: len(BACKENDS)] == list(BACKENDS)
    assert "default" not in blocks[0].partition("\n")[2]
