"""`slicenet split`: who fits, who calibrates and who is tested, once and for all."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import echo_json, json_option, refuse_inside
from slicenet.commands.inputs import Inputs, input_options
from slicenet.errors import ConfigError

if TYPE_CHECKING:
    from slicenet.cohort import Cohort
    from slicenet.cohort.dividing import DivideSettings

TARGET = click.Path(dir_okay=False, path_type=Path)
SHARE = click.FloatRange(0, 1)


@click.command()
@input_options
@click.option("--out", type=TARGET, required=True, help="Table to write: ….tsv.")
@click.option("--fit", type=SHARE, default=0.6, show_default=True, help="Share to fit.")
@click.option("--calibrate", type=SHARE, default=0.2, show_default=True, help="To calibrate.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--force", is_flag=True, help="Replace another table.")
@json_option
def command(
    inputs: Inputs, out: Path, fit: float, calibrate: float, seed: int, force: bool,
    json_output: bool,
) -> None:  # fmt: skip
    """Divide the healthy subjects of DATA; all others are tested.

    All scans of a subject stay together, sites are divided evenly, and what a public data set
    keeps for testing is tested. OUT is a table of subjects and roles for --split, with how it came
    about in a .json beside it.
    """
    from slicenet import files
    from slicenet.cohort.dividing import DivideSettings, divide
    from slicenet.cohort.roles import write_roles

    if out.suffix != ".tsv":
        raise ConfigError(f"{out}: expected a name that ends in .tsv", "E_OUTPUT")
    if out.exists() and not force:
        hint = "choose another --out, or --force to replace it"
        raise ConfigError(f"{out}: is there already", "E_STALE", hint)
    if inputs.split:
        raise ConfigError("--split: this command writes such a table", "E_USAGE", "see --out")
    settings = DivideSettings(fit, calibrate, seed)
    cohort = inputs.undivided()
    refuse_inside(out.resolve().parent, inputs.places)
    roles = divide(cohort, settings)
    summary = _summary(cohort, settings, roles)
    files.write_json(out.with_suffix(".json"), summary)
    write_roles(out, roles)  # last: where it stands, all is there
    echo_json({"out": str(out), **summary}) if json_output else click.echo(_text(out, summary))


def _summary(cohort: "Cohort", settings: "DivideSettings", roles: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from slicenet import __version__
    from slicenet.cohort.roles import ROLES, subjects

    sites = {s: c.site for s, c in zip(subjects(cohort), cohort.cases, strict=True) if c.site}
    counts = Counter(roles.values())
    by_site = Counter((sites[subject], role) for subject, role in roles.items() if subject in sites)
    return {
        "description": "roles of subjects; lesioned ones are tested only",
        "made_by": f"slicenet {__version__}",
        **asdict(settings),
        "subjects": {role: counts[role] for role in ROLES},
        "sites": {
            site: {role: by_site[site, role] for role in ROLES}
            for site in sorted(set(sites.values()))
        },
    }


def _text(out: Path, summary: dict[str, Any]) -> str:
    places = {str(out): summary["subjects"]}
    places |= {f"  {site}": counts for site, counts in summary["sites"].items()}
    return "\n".join(
        f"{place}: {', '.join(f'{count} {role}' for role, count in counts.items())}"
        for place, counts in places.items()
    )
