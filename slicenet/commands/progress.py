"""How far work has come: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from slicenet.watch import Watch

EVERY = 10.0  # seconds between plain lines
MOST = 3  # values in a line; a log has all
BAR = 28  # characters


@contextmanager
def reporter(json_output: bool = False) -> Iterator[Watch]:
    """A watch that reports on standard error; with JSON on standard output always in lines."""
    on_terminal = sys.stderr.isatty() and not json_output
    progress = _Progress(on_terminal)
    try:
        yield progress
    finally:
        progress.close()


class _Progress:
    """Remembers when a stage began, so that the time left can be told."""

    def __init__(self, on_terminal: bool) -> None:
        self._on_terminal = on_terminal
        self._stage = ""
        self._began = self._told = 0.0
        self._first = 0
        self._open_line = False

    def __call__(self, stage: str, done: int, total: int, **values: float) -> None:
        now = time.monotonic()
        if stage != self._stage or done <= 1:
            self.close()
            self._stage, self._began, self._told, self._first = stage, now, 0.0, done
        text = self._text(stage, done, total, now - self._began, self._first, values)
        if self._on_terminal:
            filled = BAR * done // total if total else 0
            click.echo(f"\r\x1b[K[{'█' * filled}{'░' * (BAR - filled)}] {text}", nl=False, err=True)
            self._open_line = True
        elif done >= total or now - self._told >= EVERY:
            click.echo(text, err=True)
            self._told = now

    def close(self) -> None:
        """End a bar's line."""
        if self._open_line:
            click.echo(err=True)
            self._open_line = False

    @staticmethod
    def _text(
        stage: str, done: int, total: int, seconds: float, first: int, values: dict[str, float]
    ) -> str:
        parts = [f"{stage} {done}/{total}" if total else f"{stage} {done}"]
        parts += [f"{name} {value:.4g}" for name, value in list(values.items())[:MOST]]
        # The first step has no past to judge by: it began when it was reported.
        if first < done < total:
            parts.append(f"{_clock(seconds / (done - first) * (total - done))} left")
        elif done >= total:
            parts.append(_clock(seconds))
        return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
