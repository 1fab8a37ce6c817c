"""From what a user names on the command line to volumes, in a stable order."""

from slicenet.cohort.case import Case
from slicenet.cohort.cohort import Cohort
from slicenet.cohort.duplicates import find_duplicates
from slicenet.cohort.find import find_cohort
from slicenet.cohort.query import Query
from slicenet.cohort.table import describe, render

__all__ = ["Case", "Cohort", "Query", "describe", "find_cohort", "find_duplicates", "render"]
