"""How `make docs` builds the site: nothing is fetched, and every warning is an error."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))  # also without installing: `slicenet` as it is here

from sphinx.application import Sphinx  # noqa: E402

from slicenet import __version__  # noqa: E402

project = "slicenet"
author = "the slicenet authors"
version = release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "builder.mathml",
    "builder.parts",
    "builder.generated",
]
exclude_patterns = ["results/*/*/**", "builder"]

# Docstrings are plain English with names in backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

myst_enable_extensions = ["dollarmath", "smartquotes"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "slicenet"
html_static_path = ["builder/style.css"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "footer_icons": [],
    "announcement": "Research use, not a medical device.",
}


def plain(
    _app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Stars and bars in docstrings are shapes and norms, never markup."""
    lines[:] = [line.replace("*", r"\*").replace("|", r"\|") for line in lines]


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", plain)
