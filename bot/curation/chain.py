"""The chain of filters: their order is the configuration; after them comes the gate.

It does not know what any filter looks for, nor where the judged texts go.
"""

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bot.curation import gate
from bot.curation.earlier import Earlier
from bot.curation.normal import fingerprint
from bot.errors import Ask, BotError, Reject
from bot.interfaces import Filter, Profile, TrainingSet
from bot.records import Candidate, Evidence, Judged, Match, Secret, Verdict

EXAMPLES = 3
FAILED = "the filter failed: "  # what the reason begins with where a filter broke instead of judging


def no_profile() -> Profile:
    msg = "there is no profile of a corpus here"
    raise BotError(msg)


class Context:
    """A FilterContext; what was kept is seen from then on, so that a batch holds no twins.

    seen_fingerprints: of everything ever queued for the bot. open_profile: called when a filter asks for it.
    earlier: what a text may nearly repeat of what was queued and posted.
    """

    def __init__(
        self,
        training_set: TrainingSet,
        seen_fingerprints: Iterable[int] = (),
        open_profile: Callable[[], Profile] = no_profile,
        earlier: Earlier | None = None,
    ):
        self.training_set = training_set
        self.earlier = earlier or Earlier()
        self._seen, self._open_profile = set(seen_fingerprints), open_profile

    @cached_property
    def profile(self) -> Profile:
        return self._open_profile()

    def seen(self, text: str) -> bool:
        return fingerprint(text) in self._seen

    def remember(self, text: str) -> None:
        self._seen.add(fingerprint(text))
        self.earlier.add(text)

    def nearest_seen(self, text: str, edits: int) -> Match | None:
        return self.earlier.nearest(text, edits)

    def expect(self, texts: Sequence[str]) -> None:
        """Say which texts will be judged."""
        self.training_set.expect(texts)
        self.earlier.expect(texts)


class Chain:
    """filters: names with the filters they stand for, in the order in which they are asked."""

    def __init__(self, filters: Sequence[tuple[str, Filter]], context: Context):
        self._filters, self._context = tuple(filters), context

    def judge(self, candidates: Iterable[Candidate], recent_posts: Sequence[str] = ()) -> list[Judged]:
        """Every candidate with its verdicts; the first veto ends the questions about it.

        The kept ones carry the evidence of their novelty.
        """
        candidates = list(candidates)
        texts = [candidate.text for candidate in candidates]
        self._context.expect(texts)
        gate.expect(texts, recent_posts)
        return self._proved([self._judge(candidate, recent_posts) for candidate in candidates])

    def opinions(self, candidate: Candidate) -> tuple[Verdict, ...]:
        """What every filter says of a text that is not to be changed; what one would trim it asks about."""
        return tuple(_opinion(name, filter, candidate, self._context) for name, filter in self._filters)

    def _judge(self, candidate: Candidate, recent_posts: Sequence[str]) -> Judged:
        verdicts: list[Verdict] = []
        for name, filter in self._filters:
            candidate, verdict = _ask(name, filter, candidate, self._context)
            verdicts.append(verdict)
            if verdict.outcome == "reject":
                return Judged(candidate, tuple(verdicts))
        verdicts += gate.judge(candidate.text, self._context.training_set, recent_posts)
        judged = Judged(candidate, tuple(verdicts))
        if judged.kept:
            self._context.remember(candidate.text)
        return judged

    def _proved(self, judged: Sequence[Judged]) -> list[Judged]:
        """The same, with the evidence of the kept ones."""
        texts = [one.candidate.text for one in judged if one.kept]
        context = self._context
        evidence = zip(
            context.training_set.evidence(texts), context.earlier.nearest_of_all(texts), strict=True
        )
        return [_with(one, *next(evidence)) if one.kept else one for one in judged]


def _with(judged: Judged, evidence: Evidence, earlier: Match | None) -> Judged:
    return replace(judged, evidence=replace(evidence, earlier=earlier))


def _opinion(name: str, filter: Filter, candidate: Candidate, context: Context) -> Verdict:
    answer, verdict = _ask(name, filter, candidate, context)
    return verdict if verdict.outcome != "trim" else Verdict(name, "ask", f"would make it {answer.text!r}")


def _ask(name: str, filter: Filter, candidate: Candidate, context: Context) -> tuple[Candidate, Verdict]:
    """The candidate as the filter leaves it and what it said; a filter that fails has said no.

    A BotError goes through: it is no judgement of this text but a setting that a person must mend.
    """
    try:
        answer = filter(candidate, context)
    except Ask as doubt:
        return candidate, Verdict(name, "ask", str(doubt))
    except Reject as veto:
        return candidate, Verdict(name, "reject", str(veto))
    except BotError as error:
        msg = f"{name}: {error}"
        raise BotError(msg) from error
    except (Exception, SystemExit) as error:  # whatever a plugin does, the others go on
        said = Secret.redact(f"{type(error).__name__}: {error}{_line(error)}")
        return candidate, Verdict(name, "reject", f"{FAILED}{said}")
    if fault := _fault(answer, candidate):
        return candidate, Verdict(name, "reject", f"{FAILED}it {fault}")
    if answer.text == candidate.text:
        return candidate, Verdict(name, "accept")
    return answer, Verdict(name, "trim", f"was {candidate.text!r}")


def _line(error: BaseException) -> str:
    """Where in the filter's own file it broke, as ` (plugin.py:12)`; "" if it was never entered."""
    _, *frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == frames[0].filename]
    return f" ({Path(frames[0].filename).name}:{lines[-1]})" if frames else ""


def _fault(answer: object, candidate: Candidate) -> str:
    """What is wrong with a filter's answer, "" if nothing is: it may change the text and no more."""
    if not isinstance(answer, Candidate):
        return f"returned {type(answer).__name__}, not a Candidate"
    if not isinstance(answer.text, str) or replace(answer, text=candidate.text) != candidate:
        return "changed more than the candidate's text"
    return ""


@dataclass(frozen=True, slots=True)
class Drop:
    """What one filter vetoed: how many, and the first few as (text, reason); `failed`: because it broke."""

    filter: str
    count: int
    examples: tuple[tuple[str, str], ...]
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of a batch: sampled = all drops + kept; `asked` of the kept need a person."""

    sampled: int
    drops: tuple[Drop, ...]  # in the order of the chain, also where nothing was vetoed
    asked: int
    kept: int


def funnel(judged: Sequence[Judged], filters: Sequence[str] = ()) -> Funnel:
    """What each filter dropped, with up to three examples and their reasons.

    filters: the chain's, told of also where no candidate has reached them.
    """
    kept = [one for one in judged if one.kept]
    asked = sum(any(verdict.outcome == "ask" for verdict in one.verdicts) for one in kept)
    vetoed = [(one.candidate.text, _veto(one)) for one in judged if not one.kept]
    return Funnel(
        len(judged), tuple(_drop(name, vetoed) for name in _order(judged, filters)), asked, len(kept)
    )


def _order(judged: Iterable[Judged], filters: Sequence[str]) -> list[str]:
    """The filters in the order of the chain: each list of verdicts is the beginning of the longest."""
    longest = max((one.verdicts for one in judged), key=len, default=())
    return list(dict.fromkeys((*filters, *(verdict.filter for verdict in longest))))


def _veto(judged: Judged) -> Verdict:
    return next(verdict for verdict in judged.verdicts if verdict.outcome == "reject")


def _drop(name: str, vetoed: Iterable[tuple[str, Verdict]]) -> Drop:
    dropped = [(text, veto.reason) for text, veto in vetoed if veto.filter == name]
    failed = sum(reason.startswith(FAILED) for _, reason in dropped)
    return Drop(name, len(dropped), tuple(dropped[:EXAMPLES]), failed)
