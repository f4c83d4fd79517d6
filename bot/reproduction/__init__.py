"""Runs a document's experiments from a recipe and reports what came of them beside what was published.

A recipe names steps; a step is a function in `steps/`. Neither knows a corpus, a cell or a filter by name.
"""

from bot.reproduction.lab import Interrupted, Lab, Outcome, Screen
from bot.reproduction.run import reproduce

__all__ = ["Interrupted", "Lab", "Outcome", "Screen", "reproduce"]
