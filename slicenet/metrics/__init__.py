"""How good maps are: every figure named, defined, and with an interval."""

from slicenet.metrics.case import ScoredCase
from slicenet.metrics.evaluation import Evaluation, evaluate
from slicenet.metrics.pairs import Comparison, compare_pairs
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.table import csv_text, text_table

__all__ = [
    "Comparison",
    "Evaluation",
    "EvaluationSettings",
    "ScoredCase",
    "compare_pairs",
    "csv_text",
    "evaluate",
    "text_table",
]
