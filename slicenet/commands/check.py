"""`slicenet check`: what is in DATA, and whether all of it can be read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import NONE_USABLE, SOME_FAILED, echo_json, json_option
from slicenet.commands.inputs import Inputs, input_options
from slicenet.commands.progress import reporter

if TYPE_CHECKING:
    from slicenet.cohort import Cohort
    from slicenet.cohort.examine import Finding
    from slicenet.errors import Notice


@click.command()
@input_options
@json_option
def command(inputs: Inputs, json_output: bool) -> None:
    """Read every voxel of DATA and say what is wrong with it.

    First comes a table of what is understood, without opening any image.

    Exit code 0: all can be used, 3: some cannot, 4: none can.
    """
    from slicenet.cohort import find_duplicates, render
    from slicenet.cohort.examine import examine
    from slicenet.cohort.verdicts import report

    cohort = inputs.part()
    if not json_output:
        click.echo(render(cohort) + "\n")
    with reporter(json_output) as watch:
        findings = list(examine(cohort, watch))
    duplicates = find_duplicates(cohort)
    if json_output:
        echo_json(_document(cohort, findings, duplicates))
    else:
        click.echo(report(findings, duplicates))
    bad = sum(finding.error is not None for finding in findings)
    if bad:
        raise SystemExit(NONE_USABLE if bad == len(findings) else SOME_FAILED)


def _document(
    cohort: "Cohort", findings: "Sequence[Finding]", duplicates: "Sequence[Notice]"
) -> dict[str, Any]:
    good = sum(finding.error is None for finding in findings)
    return {
        "cases": [_case(finding) for finding in findings],
        "notices": [_notice(notice) for notice in (*cohort.notices, *duplicates)],
        "good": good,
        "bad": len(findings) - good,
    }


def _case(finding: "Finding") -> dict[str, Any]:
    from slicenet.images.printable import printable

    case, error = finding.case, finding.error
    return {
        "name": case.name,
        "images": [printable(path) for path in case.images],
        "mask": printable(case.mask) if case.mask else None,
        "truth": printable(case.truth) if case.truth else None,
        "group": printable(case.group),
        "subject": printable(case.subject),
        "ok": error is None,
        "facts": asdict(finding.facts) if finding.facts else None,
        "warnings": [_notice(notice) for notice in finding.notices],
        "error": error
        and {
            "code": error.code,
            "message": printable(error.message),
            "hint": printable(error.hint),
        },
    }


def _notice(notice: "Notice") -> dict[str, str]:
    from slicenet.images.printable import printable

    return {"code": notice.code, "message": printable(notice.message)}
