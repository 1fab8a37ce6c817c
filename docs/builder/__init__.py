"""What turns the pages of `docs` into a site; see `docs/conf.py`."""
