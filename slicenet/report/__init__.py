"""Pages of what scoring left, one a case and one for all; each a file whole in itself."""

from slicenet.report.writing import Written, write_report

__all__ = ["Written", "write_report"]
