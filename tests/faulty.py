"""A disk that fails at its N-th operation, and what must hold whatever N is, as SQLite tests it."""

import errno
import fcntl
import json
import os
import shutil
from dataclasses import dataclass

from click.testing import CliRunner

from slicenet import files
from slicenet.commands import main

OPERATIONS = (
    "open", "read", "write", "fsync", "close", "replace", "unlink", "makedirs", "ftruncate",
)  # fmt: skip
KINDS = {  # errno, and whether it lasts: a full disk stays full, and is full in mid-write
    "broken once": (errno.EIO, False),
    "broken for good": (errno.EIO, True),
    "full once": (errno.ENOSPC, False),
    "full for good": (errno.ENOSPC, True),
}
TYPED = range(2, 8)  # exit codes that say what happened
TIMED = ("status.jsonl", "metrics.jsonl", "training.html", "training.png", "_report.html")
TOLD = ("log.txt", "scores.tsv", "group.html")  # of what failed too, so right for their run


class FaultyDisk:
    """Stands where `slicenet.files` has `os`; a write that fails leaves half of its bytes."""

    def __init__(self, at=0, kind="broken once"):
        self.at = at  # the operation that fails, from 1; 0 for none
        self.error, self.lasts = KINDS[kind]
        self.seen = []  # operations so far
        self.failed = ""  # the first that did

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in OPERATIONS:
            return real

        def operation(*arguments, **options):
            self.seen.append(name)
            count = len(self.seen)
            due = count >= self.at > 0 if self.lasts else count == self.at
            if not due or self._cannot_fail(name, arguments):
                return real(*arguments, **options)
            self.failed = self.failed or name
            if name == "write":
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if name == "close":  # what cannot be told of the last bytes lets go all the same
                real(*arguments)
            named = [str(each) for each in arguments[:1] if isinstance(each, str | os.PathLike)]
            raise OSError(self.error, os.strerror(self.error), *named)

        return operation

    def _cannot_fail(self, name, arguments):
        """A full disk still lets one read and remove."""
        reads = name in ("read", "unlink", "ftruncate")
        if name == "close":
            reads = fcntl.fcntl(arguments[0], fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        return self.error == errno.ENOSPC and (
            reads or (name == "open" and not arguments[1] & os.O_CREAT)
        )


@dataclass(frozen=True)
class Deed:
    """A command, and the folders that it fills."""

    words: tuple
    out: object
    caches: tuple = ()

    def run(self, disk=None):
        """Do it, on `disk` if there is one; what click says of it."""
        files.os = disk or os
        try:
            return CliRunner().invoke(main, [str(word) for word in self.words])
        finally:
            files.os = os

    def clear(self):
        for place in (self.out, *self.caches):
            shutil.rmtree(place, ignore_errors=True)

    def left(self):
        """Contents of files by name, but of those that hold seconds."""
        found = sorted(path for path in self.out.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.out)): path.read_bytes()
            for path in found
            if path.name != "slicenet.lock" and not path.name.endswith(TIMED)
        }


def clean_run(deed):
    """What an undisturbed run leaves, and how many operations it takes."""
    deed.clear()
    disk = FaultyDisk()
    done = deed.run(disk)
    assert done.exit_code == 0, done.output
    return deed.left(), len(disk.seen)


def wrongs(deed, at, kind, clean):
    """What is not as it should be after the `at`-th operation failed, and after a rerun."""
    deed.clear()
    disk = FaultyDisk(at, kind)
    done = deed.run(disk)
    if not disk.failed:
        assert kind.startswith("full"), "a disk that never failed shows nothing"
        return []
    told = [*_of_message(done, disk), *_of_files(deed, done, disk, clean)]
    again = deed.run()
    if again.exit_code:
        told.append(f"the rerun ended with {again.exit_code}: {again.stderr[-500:]}")
    elif (rerun := deed.left()) != clean:
        told.append(f"the rerun differs in {differing(rerun, clean)}")
    elif torn := _torn(deed):
        told.append(f"the rerun leaves half a line in {torn}")
    return [f"{kind}, at {at} ({disk.failed}): {one}" for one in told]


def _of_message(done, disk):
    if done.exit_code == 0:  # the operation was one that can be done without
        return
    if done.exit_code not in TYPED:
        yield f"ended with {done.exit_code}: {done.stderr[-500:]}"
    if disk.error == errno.ENOSPC and done.exit_code != 6:
        yield f"a full disk ended with {done.exit_code}"
    told = [line for line in done.stderr.splitlines() if os.strerror(disk.error) in line]
    if not any("/" in line for line in told):
        yield f"no file or cause in: {done.stderr[-500:]}"


def _of_files(deed, done, disk, clean):
    left = deed.left()
    partial = [name for name in left if "/.tmp-" in f"/{name}"]
    nothing_can_be_mended = disk.lasts and disk.error == errno.EIO
    if partial and not nothing_can_be_mended:
        yield f"left {partial}"
    whole = {name: content for name, content in left.items() if name not in partial}
    if changed := [name for name in differing(whole, clean) if name in whole and name not in TOLD]:
        yield f"not as in a clean run: {changed}"
    lost = [name for name in differing(whole, clean) if name not in TOLD]
    if done.exit_code == 0 and lost:
        yield f"said nothing, but differs in {lost}"
    if not nothing_can_be_mended and (torn := _torn(deed)):
        yield f"left half a line in {torn}"


def _torn(deed):
    """Logs with a line that is not whole."""
    for log in deed.out.rglob("*.jsonl"):
        for line in log.read_text("utf-8").splitlines():
            try:
                json.loads(line)
            except ValueError:
                return log.name
    return ""


def differing(one, other):
    """Names of files that only one has, or that are not the same."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
