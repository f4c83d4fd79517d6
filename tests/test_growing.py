"""Whoever edits is told what could come next, and how the text could go on, by the model that wrote it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Config
from bot.errors import BotError
from bot.host import Growing, Hint, ModelHost
from bot.house import House
from bot.records import Draft, Suggestion
from tests import folders
from tests.folders import fill


class Host(folders.Host):
    """The model host without its process."""

    def __init__(self, config: Config):
        self._serve = ModelHost(config)

    def hint(self, hint: Hint) -> Sequence[Suggestion]:
        [answer] = self._serve(hint)
        return answer

    def kill(self) -> None:
        pass


@pytest.fixture
def draft(house: House) -> Draft:
    return fill(house, count=8, seed=1).drafts[0]


@pytest.fixture
def growing(house: House) -> Growing:
    return Growing(house, Host)


def test_continuations_begin_with_the_prefix(house: House, growing: Growing, draft: Draft) -> None:
    """As the draft was sampled, by the same checkpoint, judged by the bot's filters; the kept ones first."""
    grown = growing.continuations(draft, "pale ", 6)

    assert len(grown) == 6
    for judged in grown:
        assert judged.candidate.text.startswith("pale ")
        assert judged.candidate.checkpoint == draft.candidate.checkpoint
        assert {verdict.filter for verdict in judged.verdicts} & {"length"}
    assert [judged.kept for judged in grown] == sorted((judged.kept for judged in grown), reverse=True)
    assert growing.continuations(draft, "pale ", 6) != grown
    assert len(house.drafts.list()) == len(house.drafts.list("pending"))  # nothing is queued of them


def test_suggestions_are_the_likeliest_tokens(growing: Growing, draft: Draft) -> None:
    """With the text that each would make."""
    found = growing.suggestions(draft, "pal", 4)

    assert len(found) == 4
    assert [it.probability for it in found] == sorted((it.probability for it in found), reverse=True)
    assert 0 < sum(it.probability for it in found) <= 1
    assert all(it.text == f"pal{it.token}" for it in found)


@pytest.mark.parametrize("prefix", ["0", "pale☃"])
def test_what_the_model_cannot_write_is_said(growing: Growing, draft: Draft, prefix: str) -> None:
    for ask in (growing.suggestions, growing.continuations):
        with pytest.raises(BotError, match="cannot begin with"):
            ask(draft, prefix)


def test_where_the_checkpoint_is_gone_the_bots_own_goes_on(
    house: House, growing: Growing, draft: Draft, bot_folder: Path
) -> None:
    """A draft outlives what it was sampled from."""
    gone = replace(draft, candidate=replace(draft.candidate, checkpoint="moons/epoch0_gone"))

    [grown] = growing.continuations(gone, "red", 1)
    assert grown.candidate.checkpoint == draft.candidate.checkpoint


def test_what_is_given_up_is_said(house: House, draft: Draft) -> None:
    """Whoever asks after the end gets no answer."""
    with Growing(house) as growing:
        growing._opened()
    with pytest.raises(BotError, match="given up"):
        growing.continuations(draft, "red ", 1)


def test_a_process_of_its_own_answers(house: House, draft: Draft) -> None:
    """It starts with the first question and ends with the review."""
    with Growing(house) as growing:
        [first, *_] = growing.suggestions(draft, "pale", 1)
        assert first.text.startswith("pale")
        [grown] = growing.continuations(draft, "red ", 1)
        assert grown.candidate.text.startswith("red ")
