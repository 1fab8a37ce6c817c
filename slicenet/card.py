"""MODEL_CARD.md: what a model has seen, what its thresholds rest on, what it is not."""

from slicenet.calibration import RATES
from slicenet.checkpoint import Model, versions
from slicenet.recipe import Recipe
from slicenet.training import remarks


def model_card(model: Model, recipe: Recipe) -> str:
    """The card of a model that `recipe` has just trained, as Markdown."""
    licence = model.origin.licence
    notes = [f"- {notice.message}." for notice in remarks(model)]
    libraries = ", ".join(f"{name} {number}" for name, number in versions().items())
    parts = [
        f"# {recipe.name}\n",
        "Research use, not a medical device.\n",
        (type(recipe.backend).__doc__ or "").strip() + "\n",
        "## Data\n",
        f"- fitted on {len(model.origin.fitted)} healthy volumes",
        f"- calibrated on {len(model.origin.calibrated)} others that it never fitted",
        *([f"- the model carries their licence: {licence}"] if licence else []),
        *notes,
        "",
        calibration_text(model),
        "## Made by\n",
        f"seed {model.origin.seed}; {libraries}\n",
        "## Settings\n",
        f"```toml\n{recipe.to_toml()}```",
    ]
    return "\n".join(parts) + "\n"


def calibration_text(model: Model) -> str:
    """The thresholds with their intervals, as a Markdown table; empty without a calibration."""
    calibration = model.detector.calibration
    if calibration is None:
        return ""
    lines = [
        "## Thresholds\n",
        "| healthy voxels above | threshold | 95 % bootstrap interval |",
        "|---|---|---|",
    ]
    values = calibration.thresholds().values()
    for rate, value, (low, high) in zip(RATES, values, calibration.intervals, strict=True):
        lines.append(f"| {rate:g} | {value:.4g} | {low:.4g} to {high:.4g} |")
    return "\n".join(lines) + "\n"
