"""The way in and out of every command: shared options, plain errors, exit codes.

0 done, 1 a bug, 2 usage or settings, 3 some cases failed, 4 no usable input, 5 model or weights,
6 memory or disk, 7 output locked, 75 stopped and resumable, 130 Ctrl-C, 141 nobody reads on.
"""

import errno
import json
import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from slicenet.errors import DISK, ConfigError, ResourceError, SlicenetError, out_of_memory
from slicenet.stopping import INTERRUPTED, Stopped, leave, stoppable

F = TypeVar("F", bound=Callable[..., Any])
FORBIDDEN = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
)
JSON_KEY = "slicenet.json"
SOME_FAILED = 3
NONE_USABLE = 4
UNREAD = 141  # as a shell has it for SIGPIPE

OUT = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Door(click.Group):
    """A group of commands that turns every failure into one line and its exit code."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The commands in the order of use, as they were added."""
        return list(self.commands)

    def invoke(self, context: click.Context) -> Any:
        """Run the chosen command."""
        wants_json = "--json" in context.args  # a wrong word may come before click has read it
        try:
            with stoppable():
                return super().invoke(context)
        except click.UsageError as error:
            if wants_json:
                _echo_error(error.format_message(), "E_USAGE", "")
            raise
        except (click.exceptions.Exit, click.ClickException, click.Abort, SystemExit):
            raise
        except Stopped as stop:
            click.echo(f"\n{stop}; the same command goes on where it can", err=True)
            leave(stop.exit_code)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except SlicenetError as error:
            _tell(context, error.message, error.code, error.hint)
            raise SystemExit(error.exit_code) from error
        except Exception as error:  # the last door: what comes here is full, forbidden or a bug
            raise SystemExit(_unforeseen(context, error)) from error


def json_option(command: F) -> F:
    """Add --json."""
    return click.option(
        "--json", "json_output", is_flag=True, callback=_note_json,
        help="Print one JSON document on standard output.",
    )(command)  # fmt: skip


def run_options(command: F) -> F:
    """Add --device, --threads and --json."""
    devices = click.Choice(("auto", "cpu", "cuda", "mps"))
    command = click.option(
        "--device", type=devices, default="auto", show_default=True, help="Where to compute."
    )(command)
    command = click.option(
        "--threads", type=click.IntRange(min=1), help="Threads of the CPU; all by default."
    )(command)
    return json_option(command)


def prepare(device: str, threads: int | None) -> str:
    """Set the threads, and name the device that `auto` stands for."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    available = {"cpu": True, "cuda": torch.cuda.is_available()}
    available["mps"] = torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if available["cuda"] else "mps" if available["mps"] else "cpu"
    if not available[device]:
        raise ResourceError(f"--device {device}: not available here", "E_DEVICE", "--device auto")
    return device


def refuse_inside(out: Path, places: Sequence[Path]) -> None:
    """Nothing is ever written into an input folder or the data set around it, or beside a file."""
    target = Path(os.path.realpath(out))  # `resolve` has no errno for a link that leads to itself
    for place in places:
        source = Path(os.path.realpath(place))
        inside = place.is_dir() and source in (target, *target.parents)
        beside = place.is_file() and source.parent == target
        if inside or beside or target == _data_set(source):
            raise ConfigError(
                f"{out}: lies inside the input {place}", "E_OUTPUT", "write somewhere else"
            )


def _data_set(place: Path) -> Path | None:
    """The folder that holds the folder of a subject, if `place` is that or within it."""
    for folder in (*reversed(place.parents), place):
        if folder.name.startswith("sub-"):
            return folder.parent
    return None


def echo_json(content: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(content, indent=2, allow_nan=False))


def _note_json(context: click.Context, parameter: click.Parameter, chosen: bool) -> bool:
    context.meta[JSON_KEY] = chosen
    return chosen


def of_system(error: OSError) -> SlicenetError | None:
    """What a user can mend about a disk or a place on it; nothing for any other error."""
    if error.errno in DISK:
        where = error.filename or "disk"
        hint = "check the disk" if error.errno == errno.EIO else "make room"
        return ResourceError(f"{where}: {error.strerror}", "E_DISK", hint)
    if error.errno in FORBIDDEN:
        return ConfigError(f"{error.filename}: {error.strerror}", "E_OUTPUT")
    return None


def _tell(context: click.Context, message: str, code: str, hint: str) -> None:
    if context.meta.get(JSON_KEY):
        _echo_error(message, code, hint)
    click.echo(f"error: {message} [{code}]", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)


def _echo_error(message: str, code: str, hint: str) -> None:
    echo_json({"error": {"code": code, "message": message, "hint": hint}})


def _unforeseen(context: click.Context, error: Exception) -> int:
    if out_of_memory(error):
        _tell(context, f"out of memory ({error})", "E_MEMORY", "smaller box, coarser spacing")
        return 6
    known = of_system(error) if isinstance(error, OSError) else None
    if known:
        _tell(context, known.message, known.code, known.hint)
        return known.exit_code
    if isinstance(error, BrokenPipeError):
        # What is still buffered has nowhere to go, and must not fail again on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return UNREAD
    click.echo(traceback.format_exc(), err=True)
    click.echo(
        "this is a bug in slicenet: please open an issue with the lines above and the output of"
        " `slicenet doctor`", err=True,
    )  # fmt: skip
    return 1
