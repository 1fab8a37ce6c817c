"""`slicenet doctor`: whether everything that slicenet needs is here."""

import dataclasses

import click

from slicenet.commands.door import echo_json, json_option

UNFIT = 6  # something essential is missing
COLOURS = {"ok": "green", "warn": "yellow", "missing": "red"}


@click.command()
@json_option
def command(json_output: bool) -> None:
    """Check versions, devices, memory, disk and weights.

    Ends with code 6 if something essential is missing. Its output belongs in every report of a
    bug; it names folders of this machine, but nothing else that is yours.
    """
    from slicenet.installed import installed

    findings = installed()
    if all(finding.state == "ok" for finding in findings):
        # Not before: it imports what may not be there.
        from slicenet.checkup import examine

        findings += examine()
    missing = [finding.name for finding in findings if finding.state == "missing"]
    if json_output:
        table = [dataclasses.asdict(finding) for finding in findings]
        echo_json({"fit": not missing, "findings": table})
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            state = click.style(f"{finding.state:<7}", fg=COLOURS[finding.state])
            hint = f"  ({finding.hint})" if finding.hint else ""
            click.echo(f"{state}  {finding.name:<{width}}  {finding.found}{hint}")
        click.echo(f"missing: {', '.join(missing)}" if missing else "fit to work")
    if missing:
        raise SystemExit(UNFIT)
