"""Constraints, which know characters, as an automaton over ids that never enters a dead end.

For each state it knows which ids may follow and how many tokens are then missing until the text may end; so
one that must end within so many tokens always can. It knows no model.

Shapes: V vocabulary_size.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.errors import BotError
from bot.interfaces import Constraint
from bot.model.pieces import Pieces
from bot.text.vocabulary import END

Numbers = NDArray[Any]
FAR = int(np.iinfo(np.int32).max)  # tokens: never
NOWHERE = -1  # no state
MOST_STATES = 20_000  # looked at in one search for an end
FEW_STATES = 50  # looked at for any end


class Together:
    """Several constraints as one: a text must be right by all."""

    def __init__(self, constraints: Sequence[Constraint]):
        self._constraints = constraints
        self.start = tuple(constraint.start for constraint in constraints)

    def advance(self, state: Any, character: str) -> Any:
        after = []
        for constraint, part in zip(self._constraints, state, strict=True):
            if (moved := constraint.advance(part, character)) is None:
                return None
            after.append(moved)
        return tuple(after)

    def alike(self, state: Any) -> Any:
        return tuple(alike(one, part) for one, part in zip(self._constraints, state, strict=True))

    def missing(self, state: Any) -> int:
        parts = zip(self._constraints, state, strict=True)
        return max((constraint.missing(part) for constraint, part in parts), default=0)


def alike(constraint: Constraint, state: Any) -> Any:
    """A state from which the end is as far; the state itself where the constraint knows no other."""
    known = getattr(constraint, "alike", None)
    return known(state) if known else state


def allows(constraint: Constraint, text: str) -> bool:
    """Whether a whole text is right."""
    state = constraint.start
    for character in text:
        if (state := constraint.advance(state, character)) is None:
            return False
    return constraint.missing(state) == 0


class _State(NamedTuple):
    inner: Any  # the constraint's own
    kind: int  # of the last id, see Pieces
    owed: int  # tokens that must come before an end is one


class Automaton:
    """States are numbers; 0 is the beginning. owed: a text's least length. most: its greatest, in tokens."""

    def __init__(self, constraint: Constraint, pieces: Pieces, size: int, owed: int, most: int):
        self._constraint, self._pieces, self._size, self._most = constraint, pieces, size, most
        self._longest = max(1, pieces.longest)
        self._states: list[_State] = []
        self._numbers: dict[_State, int] = {}
        self._first: dict[_State, int] = {}  # of those from which the end is as far
        self._alike: list[int] = []  # of each state, that first one
        self._after: dict[int, Numbers] = {}
        self._needs: dict[int, Numbers] = {}
        self._bounds: dict[int, Numbers] = {}  # never less than what it needs, the same where that is FAR
        self._masks: dict[tuple[int, int], Numbers] = {}
        self._known: dict[int, int] = {}  # exact distances
        self._found: dict[int, int] = {}  # tokens of a way to an end, not always the shortest
        self._number(_State(constraint.start, 0, owed))

    def follow(self, state: int, ids: Sequence[int]) -> int:
        """The state after these ids, NOWHERE if they are not allowed."""
        for id in ids:
            state = int(self._successors(state)[id])
            if state == NOWHERE:
                break
        return state

    def mask(self, state: int, left: int) -> Numbers:
        """(V,) 0 for what may follow so that the text can end when `left` tokens are written, else -inf."""
        if state not in self._bounds:
            self._bounds[state] = self._need(state, self._bound)
        needs = self._bounds[state]
        if left < _greatest(needs):
            if state not in self._needs:
                self._needs[state] = self._need(state, self.distance)
            needs = self._needs[state]
        bound = min(left, _greatest(needs))  # from there on there is only one mask
        if (state, bound) not in self._masks:
            self._masks[state, bound] = np.where(needs <= bound, 0, -math.inf).astype(np.float32)
        return self._masks[state, bound]

    def distance(self, state: int) -> int:
        """The fewest tokens after which a text may end, FAR if it takes more than `most`. By A*.

        Raises BotError where too many states would have to be looked at.
        """
        state = self._alike[state]
        if state not in self._known:
            self._search(state)
        return self._known[state]

    def _bound(self, state: int) -> int:
        """Never less than the distance, and sooner found: where many tokens are left that is enough."""
        state = self._alike[state]
        if state not in self._known and state not in self._found:
            self._stroll(state)
        return self._found[state] if state in self._found else self.distance(state)

    def _stroll(self, start: int) -> None:
        """Take the first way to an end that is found by going where the fewest characters are missing."""
        costs, parents = {start: 0}, {start: NOWHERE}
        queue = [(0, 0, start)]
        for _ in range(FEW_STATES):
            if not queue:
                return
            _, _, state = heappop(queue)
            if self._guess(state) == 0 or state in self._found:
                _learn(self._found, state, costs[state] + self._found.get(state, 0), costs, parents)
                return
            for after in self._distinct(state):
                if after not in costs and self._known.get(after) != FAR:
                    costs[after], parents[after] = costs[state] + 1, state
                    heappush(queue, (self._lacks(after), -costs[after], after))

    def _search(self, start: int) -> None:
        costs, parents, cut, looked = {start: 0}, {start: NOWHERE}, False, 0
        queue = [(self._guess(start), 0, start)]
        while queue:
            estimate, _, state = heappop(queue)  # of equally good ones the one that has come farthest
            if estimate > self._most:
                cut = True
                break
            if self._guess(state) == 0 or state in self._known:
                _learn(self._known, state, costs[state] + self._guess(state), costs, parents)
                return
            looked += 1
            if looked > MOST_STATES:
                msg = f"the constraints leave too much open to see how a text of {self._most} tokens can end"
                raise BotError(f"{msg}: a smaller max_length would help, or constraints with fewer states")
            for after in self._distinct(state):
                if self._known.get(after) != FAR and costs[state] + 1 < costs.get(after, FAR):
                    costs[after], parents[after] = costs[state] + 1, state
                    heappush(queue, (costs[after] + self._guess(after), -costs[after], after))
        self._known |= dict.fromkeys([start] if cut else costs, FAR)

    def _guess(self, state: int) -> int:
        """Never more than the distance, and 0 only where a text may end."""
        if state in self._known:
            return self._known[state]
        return max(-(-self._lacks(state) // self._longest), self._states[state].owed)

    def _lacks(self, state: int) -> int:
        """Characters, at least, until the constraint lets a text end."""
        return self._constraint.missing(self._states[state].inner)

    def _need(self, state: int, far: Callable[[int], int]) -> Numbers:
        """(V,) how many tokens each id costs until the text may end, itself counted; the end itself none.

        far: how many from a state on.
        """
        needs = np.full(self._size, FAR, np.int32)
        if self._guess(state) == 0:
            needs[END] = 0
        after = self._ends_alike(state)
        for number in self._distinct(state):
            needs[after == number] = min(far(number), FAR - 1) + 1
        return needs

    def _distinct(self, state: int) -> list[int]:
        after = self._ends_alike(state)
        found: list[int] = np.unique(after[after != NOWHERE]).tolist()
        return found

    def _ends_alike(self, state: int) -> Numbers:
        """(V,) of the state after each id the first from which the end is as far."""
        after = self._successors(state)
        return np.array([NOWHERE if one == NOWHERE else self._alike[one] for one in after.tolist()])

    def _successors(self, state: int) -> Numbers:
        """(V,) the state after each id."""
        if state not in self._after:
            inner, kind, owed = self._states[state]
            after = np.full(self._size, NOWHERE, np.int32)
            for id, reached in self._reached(inner, kind):
                after[id] = self._number(_State(reached, self._pieces.kind(id), max(owed - 1, 0)))
            self._after[state] = after
        return self._after[state]

    def _reached(self, inner: Any, kind: int) -> Iterator[tuple[int, Any]]:
        """Each id that is allowed and the constraint's state after it; what pieces share is read once."""
        states = [inner]  # after each character of the piece; it ends where one is not allowed
        for id, shared, text in self._pieces.after(kind):
            if shared >= len(states):
                continue  # what it shares is not allowed already
            del states[shared + 1 :]
            for character in text[shared:]:
                if (moved := self._constraint.advance(states[-1], character)) is None:
                    break
                states.append(moved)
            else:
                yield id, states[-1]

    def _number(self, state: _State) -> int:
        if state not in self._numbers:
            self._numbers[state] = number = len(self._states)
            self._states.append(state)
            like = state._replace(inner=alike(self._constraint, state.inner))
            self._alike.append(self._first.setdefault(like, number))
        return self._numbers[state]


def _greatest(needs: Numbers) -> int:
    return int(needs[needs < FAR].max(initial=0))


def _learn(
    known: dict[int, int], end: int, total: int, costs: Mapping[int, int], parents: Mapping[int, int]
) -> None:
    """All on a way of `total` tokens to an end are as far from it as is left of the way."""
    while end != NOWHERE:
        known[end] = min(total - costs[end], FAR)
        end = parents[end]
