"""The `slicenet` command: words in, one call each, words out; one file a command."""

import click

from slicenet import __version__, embedded
from slicenet.commands.backends import command as backends_command
from slicenet.commands.bench import command as bench_command
from slicenet.commands.cache import command as cache_command
from slicenet.commands.check import command as check_command
from slicenet.commands.compare import command as compare_command
from slicenet.commands.config import command as config_command
from slicenet.commands.datasets import command as datasets_command
from slicenet.commands.demo import command as demo_command
from slicenet.commands.doctor import command as doctor_command
from slicenet.commands.door import Door
from slicenet.commands.evaluate import command as evaluate_command
from slicenet.commands.finetune import command as finetune_command
from slicenet.commands.phantom import command as phantom_command
from slicenet.commands.prepare import command as prepare_command
from slicenet.commands.report import command as report_command
from slicenet.commands.score import command as score_command
from slicenet.commands.split import command as split_command
from slicenet.commands.train import command as train_command
from slicenet.commands.view import command as view_command
from slicenet.commands.weights import command as weights_command

COMMANDS = {
    "demo": demo_command,
    "phantom": phantom_command,
    "check": check_command,
    "prepare": prepare_command,
    "split": split_command,
    "finetune": finetune_command,
    "train": train_command,
    "score": score_command,
    "view": view_command,
    "evaluate": evaluate_command,
    "report": report_command,
    "compare": compare_command,
    "bench": bench_command,
    "datasets": datasets_command,
    "doctor": doctor_command,
    "backends": backends_command,
    "config": config_command,
    "cache": cache_command,
    "weights": weights_command,
}


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message=f"slicenet %(version)s, MIT licence\n{embedded.told()}")
def main() -> None:
    """Find what is abnormal in a 3D brain MRI after seeing only healthy brains.

    Research use, not a medical device. Start with `slicenet demo`.
    """


for _name, _command in COMMANDS.items():
    main.add_command(_command, _name)
