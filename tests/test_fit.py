"""What a target cannot take is known before anybody approves it, and named."""

import pytest

from bot.posting.fit import judge, objection
from bot.records import Verdict


class Place:
    """Takes so many bytes, and objects to a word."""

    def __init__(self, max_length: int | None = 8, hates: str = ""):
        self.max_length, self._hates = max_length, hates

    def measure(self, text: str) -> int:
        return len(text.encode())

    def objection(self, text: str) -> str:
        return f"{self._hates} would ring a bell" if self._hates and self._hates in text else ""


class Plain:
    max_length = None

    def measure(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(
    ("target", "text", "reason"),
    [
        (Place(), "жжжж", ""),
        (Place(), "жжжжж", "its length is 10, and there takes 8"),
        (Place(None), "ж" * 1000, ""),
        (Place(None, "gong"), "a gong", "there does not take it: gong would ring a bell"),
        (Plain(), "a gong", ""),
    ],
)
def test_a_target_measures_and_objects_by_its_own_rules(target, text, reason):
    """One that has no objections of its own is asked for the length alone."""
    assert objection("there", target, text) == reason


def test_every_target_that_cannot_take_a_text_is_named():
    """For an approved text goes to all of them."""
    targets = {"one": Place(), "two": Place(None), "three": Place(4)}

    assert judge(targets, "jot") == Verdict("targets", "accept")
    assert judge(targets, "a longer one") == Verdict(
        "targets", "reject", "Its length is 12, and one takes 8. Its length is 12, and three takes 4."
    )
