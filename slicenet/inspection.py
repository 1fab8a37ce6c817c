"""One walk over a cohort before any work: who can be used, and why the others cannot."""

from dataclasses import dataclass, field
from typing import final

from slicenet.cohort import Case, Cohort
from slicenet.errors import Notice, ResourceError, SlicenetError, VolumeError
from slicenet.files import digest
from slicenet.frame import Frame
from slicenet.volume import Volume
from slicenet.watch import Watch, silent


@final
@dataclass(frozen=True)
class Usable:
    """What of a cohort can be used, and why the rest cannot."""

    cohort: Cohort
    digests: tuple[str, ...]  # of each volume, in the cohort's order
    files: tuple[str, ...]  # SHA-256 of every image file
    failures: tuple[tuple[str, SlicenetError], ...] = ()
    notices: tuple[Notice, ...] = field(default=())


def inspect_to_learn(cohort: Cohort, frame: Frame, watch: Watch = silent) -> Usable:
    """Leave out what is broken, lesioned, outside of `frame`, or there twice."""
    return _inspect(cohort, frame, watch, None)


def inspect_to_test(cohort: Cohort, frame: Frame, learnt: Usable, watch: Watch = silent) -> Usable:
    """Leave out what is broken, without any truth, or among the files of `learnt`."""
    return _inspect(cohort, frame, watch, learnt)


def _inspect(cohort: Cohort, frame: Frame, watch: Watch, learnt: Usable | None) -> Usable:
    kept: dict[str, int] = {}  # digest of a volume, index of its case
    files: list[str] = []
    failures: list[tuple[str, SlicenetError]] = []
    notices: list[Notice] = list(cohort.notices)
    for index, case in enumerate(cohort.cases):
        try:
            volume = cohort[index]
            _check_role(case, volume, cohort, learnt)
            framed = frame.enter(volume)
        except SlicenetError as error:
            if isinstance(error, ResourceError):  # no fault of the case, which must not go missing
                raise
            failures.append((case.name, error.alone()))
        else:
            notices += framed.notices
            if volume.digest in kept:
                notices.append(_twin(case, cohort.cases[kept[volume.digest]]))
            else:
                frame.expect(volume)
                kept[volume.digest] = index
                files += [digest(path) for path in case.images]
        watch("read", index + 1, len(cohort))
    used = cohort.select(kept.values())
    return Usable(used, tuple(kept), tuple(files), tuple(failures), tuple(notices))


def _check_role(case: Case, volume: Volume, cohort: Cohort, learnt: Usable | None) -> None:
    """Refuse lesions among what is learnt from, and unmarked patients among what is tested."""
    truth = case.read_truth(volume, cohort.options)
    if learnt is None:
        if truth is not None and truth.any():
            raise VolumeError(
                f"{case.name}: its truth mask marks a lesion", "E_LESION",
                "training takes healthy volumes only",
            )  # fmt: skip
        return
    if truth is None and not case.is_healthy:
        raise VolumeError(
            f"{case.name}: neither of a healthy group nor with a truth mask", "E_TRUTH",
            "without one, its lesions would count as false positives",
        )  # fmt: skip
    if volume.digest in learnt.digests or any(digest(p) in learnt.files for p in case.images):
        raise VolumeError(f"{case.name}: the same file was learnt from", "E_LEAK")


def _twin(case: Case, first: Case) -> Notice:
    return Notice("W_DUPLICATE", f"{case.name}: the same file as {first.name}, left out")
