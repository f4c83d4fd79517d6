"""What a bot has queued and posted before, and what nearly repeats it.

It does not know where that is kept.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.curation.normal import normal_form
from bot.curation.novelty import TextTrainingSet
from bot.curation.search import FAR
from bot.records import Document, Match

DRAFT, POST = "draft", "post"  # the sources of matches


class Earlier:
    """queued, posts: texts of the bot; a text that is in both is a post."""

    def __init__(self, queued: Iterable[str] = (), posts: Sequence[str] = ()):
        self._sources = dict.fromkeys(queued, DRAFT) | dict.fromkeys(posts, POST)
        self._added: dict[str, str] = {}  # by normal form

    def expect(self, texts: Iterable[str]) -> None:
        """As in TrainingSet."""
        self._known.expect(texts)

    def add(self, text: str) -> None:
        """Another draft."""
        self._added[normal_form(text)] = text

    def nearest(self, text: str, edits: int) -> Match | None:
        """The draft or post nearest to the text within `edits`."""
        return _nearer(text, self._known.nearest(text, edits), self._added, edits)

    def nearest_of_all(self, texts: Sequence[str]) -> list[Match | None]:
        """Of each text, up to FAR edits as Evidence tells it; each text is a draft to those behind it."""
        matches, before = list[Match | None](), dict[str, str]()
        for text, evidence in zip(texts, self._known.evidence(texts), strict=True):
            matches.append(_nearer(text, evidence.nearest, before, FAR))
            before[normal_form(text)] = text
        return matches

    @cached_property
    def _known(self) -> TextTrainingSet:
        return TextTrainingSet([Document(text, source) for text, source in self._sources.items()])


def _nearer(text: str, match: Match | None, drafts: dict[str, str], edits: int) -> Match | None:
    """The match, or a draft that is nearer."""
    least = edits if match is None else match.distance - 1
    if least < 0:
        return match
    form = normal_form(text)
    found = process.extractOne(form, list(drafts), scorer=Levenshtein.distance, score_cutoff=least)
    return Match(int(found[1]), drafts[found[0]], DRAFT) if found else match
