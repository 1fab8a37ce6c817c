"""The markup of the viewer: three planes, what is under the cursor, and how it is shown.

Written by hand: 20 KB of script that work from a disk without a network or WebGL, on thresholds of
calibrated rates. What could be inlined instead brings megabytes into every page, and no rates.
"""

from slicenet.report.montage import COLOURS
from slicenet.report.scale import Scale
from slicenet.report.volumes import Packed

PLANES = (("axial", "z"), ("coronal", "y"), ("sagittal", "x"))
KEYS = (
    ("← → ↑ ↓", "move in the plane"), ("[ ] or Page", "slice"), ("o", "map on or off"),
    ("t", "truth"), ("+ −", "opacity"), ("&lt; &gt;", "threshold"), ("n p", "next piece"),
)  # fmt: skip


def viewer(packed: Packed, scale: Scale, flat: bool) -> str:
    """The planes and the panel beside them; a picture has one plane."""
    planes = "".join(_plane(name, axis) for name, axis in PLANES)
    if flat:
        planes = _plane(*PLANES[0], shown="picture")
    kind = "viewer flat" if flat else "viewer"
    return (
        f'<section class="{kind}" id="viewer" aria-label="Viewer">'
        f'<div class="planes">{planes}</div>{_panel(packed, scale, flat)}</section>'
    )


def _plane(name: str, axis: str, shown: str = "") -> str:
    return (
        f'<figure class="plane" id="{name}"><figcaption><b>{shown or name}</b>'
        f'<output aria-live="off"></output></figcaption>'
        f'<canvas tabindex="0" role="img" aria-label="{name} plane: arrows move the crosshair, '
        'brackets change the slice"></canvas>'
        f'<input type="range" min="0" value="0" step="1" aria-label="{name} slice, along {axis}">'
        "</figure>"
    )


def _panel(packed: Packed, scale: Scale, flat: bool) -> str:
    truth = packed.layers.truth is not None
    chosen = "".join(f"<option>{name}</option>" for name in COLOURS)
    last = scale.thresholds - 1
    start = scale.asked if scale.asked is not None else 0
    marks = '<label><input type="checkbox" id="truth" checked> truth</label>' if truth else ""
    image = packed.layers.image is not None
    exact = "" if "parts" in packed.texts else " Scores here are rounded to levels."
    sides = (
        "As on the picture." if flat else
        "Seen from the feet and from the front: the patient's left (L) is on the right."
    )  # fmt: skip
    keys = "".join(f"<span><kbd>{key}</kbd> {told}</span>" for key, told in KEYS)
    return f"""<div class="panel">
<table class="readout">
<thead><tr><td></td><th scope=col>crosshair</th><th scope=col>pointer</th></tr></thead><tbody>
<tr><th scope=row>x y z, mm</th><td id="at-mm"></td><td id="over-mm"></td></tr>
<tr><th scope=row>score</th><td id="at-score"></td><td id="over-score"></td></tr>
<tr><th scope=row>healthy above</th><td id="at-rate"></td><td id="over-rate"></td></tr>
<tr{"" if image else " hidden"}>
<th scope=row>image</th><td id="at-grey"></td><td id="over-grey"></td></tr></tbody></table>
<label class="slide">threshold
<input type="range" id="threshold" min="0" max="{last}" value="{start}" step="1">
<output id="threshold-told" for="threshold"></output></label>
<label class="slide">opacity
<input type="range" id="opacity" min="0" max="100" value="70" step="5">
<output id="opacity-told" for="opacity"></output></label>
<div class="choices"><label><input type="checkbox" id="overlay" checked> map</label>{marks}
<label><input type="checkbox" id="cross" checked> crosshair</label>
<label>colours <select id="colours">{chosen}</select></label>
<button type="button" id="strangest">strangest place</button>
<button type="button" id="reset">threshold of the mask</button></div>
<canvas id="bar" width="255" height="1" role="img" aria-label="colours of the map"></canvas>
<div class="bar-told"><span id="bar-low"></span><span id="bar-high"></span></div>
<p class="hint">{sides}{exact}</p><p class="keys">{keys}</p></div>"""
