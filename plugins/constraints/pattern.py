r"""A constraint: a regular expression matches the text from beginning to end.

Understood: characters, . (all but a line break), [abc], [a-z], [^abc], \d \w \s \D \W \S, \n, \t, a backslash
before any sign, (groups), a|b, and the repetitions * + ? {2} {2,} {2,4}. Nothing else: no anchors, for the
whole text must match, no references back, no looking around, nothing that begins with (?. So time grows with
a text's length, no faster.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from bot import BotError, Constraint, hookimpl

MOST_PLACES = 5000  # of an expression with its repetitions written out
DEEPEST = 50  # groups within groups
Test = Callable[[str], bool]
CLASSES: dict[str, Test] = {"d": str.isdecimal, "w": lambda c: c.isalnum() or c == "_", "s": str.isspace}
CONTROLS = {"n": "\n", "t": "\t"}


class Sequence(NamedTuple):
    parts: "list[Part]"


class Choice(NamedTuple):
    parts: "list[Part]"


class Repeat(NamedTuple):
    part: "Part"
    least: int
    most: int | None  # None: as often as may be


Part = Test | Sequence | Choice | Repeat


@dataclass(eq=False)
class Place:
    """One of the expression's: on to `after` by a character that `test` allows, or to any of `free`."""

    test: Test | None = None
    after: "Place | None" = None
    free: "list[Place]" = field(default_factory=list)

    def ways(self) -> "Iterator[tuple[Place, int]]":
        """Where it goes on, and by how many characters."""
        yield from ((place, 0) for place in self.free)
        if self.after:
            yield self.after, 1


State = frozenset[Place]  # where a text may have come to


class Pattern:
    """A text that `regex` matches from beginning to end."""

    def __init__(self, regex: str):
        end = Place()
        begin = Builder(regex).build(Parser(regex).parse(), end)
        self.start: State = _reached([begin])
        self._missing = _distances(begin, end)
        self._moves: dict[tuple[State, str], State | None] = {}

    def advance(self, state: State, character: str) -> State | None:
        if (state, character) not in self._moves:
            moved = [place.after for place in state if place.after and place.test and place.test(character)]
            self._moves[state, character] = _reached(moved) if moved else None
        return self._moves[state, character]

    def missing(self, state: State) -> int:
        return min(self._missing[place] for place in state)


class Builder:
    """Parts to places, from the end to the beginning: what is repeated is built as often (Thompson 1968)."""

    def __init__(self, regex: str):
        self._regex, self._count = regex, 0

    def build(self, part: Part, then: Place) -> Place:
        """Where the part begins if it goes on with `then`."""
        match part:
            case Sequence(parts):
                for each in reversed(parts):
                    then = self.build(each, then)
                return then
            case Choice(parts):
                return self._place(free=[self.build(each, then) for each in parts])
            case Repeat(inner, least, most):
                then = self._rest(inner, None if most is None else most - least, then)
                for _ in range(least):
                    then = self.build(inner, then)
                return then
        return self._place(test=part, after=then)

    def _rest(self, inner: Part, most: int | None, then: Place) -> Place:
        """What may come again but need not."""
        if most is None:
            again = self._place(free=[then])
            again.free.append(self.build(inner, again))
            return again
        last = then
        for _ in range(most):
            then = self._place(free=[last, self.build(inner, then)])
        return then

    def _place(
        self, test: Test | None = None, after: Place | None = None, free: Iterable[Place] = ()
    ) -> Place:
        self._count += 1
        if self._count > MOST_PLACES:
            raise BotError(f"regex {self._regex!r}: too long with its repetitions written out")
        return Place(test, after, list(free))


def _reached(places: Iterable[Place]) -> State:
    """These and all that can be come to from them without a character."""
    found, waiting = set[Place](), list(places)
    while waiting:
        if (place := waiting.pop()) not in found:
            found.add(place)
            waiting += place.free
    return frozenset(found)


def _distances(begin: Place, end: Place) -> dict[Place, int]:
    """How many characters lie between each place and the end at least."""
    before: dict[Place, list[tuple[Place, int]]] = defaultdict(list)
    met, waiting = {begin}, deque([begin])
    while waiting:
        place = waiting.popleft()
        for other, cost in place.ways():
            before[other].append((place, cost))
            if other not in met:
                met.add(other)
                waiting.append(other)
    found, waiting = {end: 0}, deque([end])
    while waiting:
        place = waiting.popleft()
        for other, cost in before[place]:
            if other not in found or found[place] + cost < found[other]:
                found[other] = found[place] + cost
                waiting.append(other)
    return found


class Parser:
    """Reads an expression once, from left to right. Raises BotError with the character where it fails."""

    def __init__(self, regex: str):
        self._regex, self._at, self._depth = regex, 0, 0

    def parse(self) -> Part:
        part = self._choice()
        if self._at < len(self._regex):
            self._fail("a ) that nothing has opened")
        return part

    def _choice(self) -> Part:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return Choice(parts)

    def _sequence(self) -> Part:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._one()))
        return Sequence(parts)

    def _repeated(self, part: Part) -> Part:
        before = self._at
        least, most = self._times()
        if self._at > before and self._peek() in [*"*+?{"]:
            self._fail("a repetition of a repetition: put the inner one into ( )")
        return Repeat(part, least, most)

    def _times(self) -> tuple[int, int | None]:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        return self._counted() if self._take("{") else (1, 1)

    def _counted(self) -> tuple[int, int | None]:
        """{2}, {2,} or {2,4}"""
        least = self._number()
        most: int | None = least
        if self._take(","):
            most = None if self._peek() == "}" else self._number()
        if not self._take("}") or (most is not None and most < least):
            self._fail("expected {2}, {2,} or {2,4}")
        return least, most

    def _number(self) -> int:
        digits = ""
        while self._peek() in [*"0123456789"]:
            digits += self._next()
        if not 0 < len(digits) < 5:
            self._fail("expected a number of at most four digits")
        return int(digits)

    def _one(self) -> Part:
        """A character, a class or a group."""
        if self._take("("):
            if self._peek() == "?":
                self._fail("(? is not understood: no looking around, no names, no flags; (a|b) is a group")
            return self._group()
        if self._take("["):
            return self._set()
        if self._take("."):
            return lambda c: c != "\n"
        if self._peek() in [*"*+?{}]^$"]:
            self._fail(f"{self._peek()!r} means nothing here: write \\{self._peek()} for the sign itself")
        return self._sign()

    def _group(self) -> Part:
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(f"more than {DEEPEST} groups within groups")
        part = self._choice()
        if not self._take(")"):
            self._fail("a ( that nothing closes")
        self._depth -= 1
        return part

    def _set(self) -> Test:
        """What stands in square brackets."""
        inverted, tests = self._take("^"), list[Test]()
        while not self._take("]"):
            tests.append(self._range())
        if not tests:
            self._fail("nothing stands between [ and ]")
        return lambda c: any(test(c) for test in tests) != inverted

    def _range(self) -> Test:
        """a, or a-z; a - at the end of the set is itself."""
        sign = self._sign()
        first = self._regex[self._at - 1]
        if self._peek() != "-" or self._regex[self._at + 1 : self._at + 2] == "]":
            return sign
        self._next()
        high = self._sign()
        last = self._regex[self._at - 1]
        if not (sign(first) and high(last) and first <= last):
            self._fail(f"{first}-{last} is no range")
        return lambda c: first <= c <= last

    def _sign(self) -> Test:
        """A character, or what a backslash and a letter stand for."""
        sign = self._next()
        if sign != "\\":
            return sign.__eq__
        sign = self._next()
        if sign.lower() in CLASSES:
            known = CLASSES[sign.lower()]
            return known if sign.islower() else lambda c: not known(c)
        if sign.isalnum() and sign not in CONTROLS:
            self._fail(f"\\{sign} is not understood")
        return CONTROLS.get(sign, sign).__eq__

    def _peek(self) -> str:
        return self._regex[self._at : self._at + 1]

    def _next(self) -> str:
        if self._at == len(self._regex):
            self._fail("it ends too early")
        self._at += 1
        return self._regex[self._at - 1]

    def _take(self, sign: str) -> bool:
        found = self._peek() == sign
        self._at += found
        return found

    def _fail(self, problem: str) -> NoReturn:
        raise BotError(f"regex {self._regex!r}, at character {self._at + 1}: {problem}")


@hookimpl
def register_constraints() -> dict[str, Callable[..., Constraint]]:
    return {"pattern": Pattern}
