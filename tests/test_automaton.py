"""Constraints as automata over tokens: against every text there is, with long tokens and with joined ones."""

import math
import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BotError
from bot.model import automaton as module
from bot.model.automaton import FAR, NOWHERE, Automaton, Together, allows
from bot.model.pieces import Pieces
from bot.text.vocabulary import END

LETTERS = ["a", "b", "(", ")"]
LONG = ["a", "ab", "b)", "(", "(a", ")"]


class Depth:
    """Brackets closed, at most `deepest` within each other."""

    start = 0

    def __init__(self, deepest=99):
        self.deepest = deepest

    def advance(self, state, character):
        depth = state + {"(": 1, ")": -1}.get(character, 0)
        return depth if 0 <= depth <= self.deepest else None

    def missing(self, state):
        return state


class Exactly:
    """One text."""

    start = 0

    def __init__(self, text):
        self.text = text

    def advance(self, state, character):
        return state + 1 if self.text[state : state + 1] == character else None

    def missing(self, state):
        return len(self.text) - state


class Unhelpful:
    """Another constraint that says as little as may be of how far it is."""

    def __init__(self, constraint):
        self.start, self.advance, self._inner = constraint.start, constraint.advance, constraint

    def missing(self, state):
        return min(1, self._inner.missing(state))


def plain(tokens):
    return lambda ids: "".join(tokens[id - 3] for id in ids)


def spaced(tokens):
    """As the shipped tokenizer of words joins: a space where letters meet."""

    def join(ids):
        marked = "\0".join(tokens[id - 3] for id in ids)
        return re.sub(r"(?<=\w)\0(?=\w)", " ", marked).replace("\0", "")

    return join


def automaton(constraint, tokens, join=plain, least=0, most=4) -> Automaton:
    ids = range(3, 3 + len(tokens))
    return Automaton(constraint, Pieces(join(tokens), ids), 3 + len(tokens), least, most)


def every(tokens, join, least, most, constraint) -> set[tuple[int, ...]]:
    """All right texts of these lengths, as ids."""
    ids = range(3, 3 + len(tokens))
    texts = (chosen for length in range(least, most + 1) for chosen in product(ids, repeat=length))
    return {chosen for chosen in texts if allows(constraint, join(tokens)(chosen))}


def written(found: Automaton, most: int) -> set[tuple[int, ...]]:
    """All texts that its masks let through; that none gets stuck is asserted."""
    ended, waiting = set(), [((), 0)]
    while waiting:
        ids, state = waiting.pop()
        if len(ids) == most:
            ended.add(ids)
            continue
        allowed = np.flatnonzero(found.mask(state, most - len(ids)) == 0).tolist()
        assert allowed, f"{ids} cannot go on"
        for id in allowed:
            if id == END:
                ended.add(ids)
            else:
                waiting.append(((*ids, id), found.follow(state, [id])))
    return ended


CONSTRAINTS = {
    "brackets": Depth(),
    "flat brackets": Depth(1),
    "one text": Exactly("(ab)"),
    "one with a space": Exactly("a ab"),
    "both": Together([Depth(1), Exactly("a(ab)")]),
    "hardly helpful": Unhelpful(Depth(2)),
    "anything": Together([]),
}


@pytest.mark.parametrize("join", [plain, spaced])
@pytest.mark.parametrize("tokens", [LETTERS, LONG], ids=["letters", "long tokens"])
@pytest.mark.parametrize("constraint", CONSTRAINTS.values(), ids=CONSTRAINTS)
@pytest.mark.parametrize(("least", "most"), [(0, 3), (2, 4)])
def test_masks_let_exactly_the_right_texts_through(join, tokens, constraint, least, most):
    """Not one that is wrong, every one that is right, and none that could not be ended in time."""
    right = every(tokens, join, least, most, constraint)
    found = automaton(constraint, tokens, join, least, most)

    if right:
        assert written(found, most) == right
    assert (found.distance(0) <= most) == bool(right)


@pytest.mark.parametrize("join", [plain, spaced])
@pytest.mark.parametrize("constraint", CONSTRAINTS.values(), ids=CONSTRAINTS)
@given(ids=st.lists(st.integers(3, 8), max_size=3))
def test_a_distance_is_the_least_number_of_tokens_to_an_end(join, constraint, ids):
    """Against all ways to go on; where there is none within the greatest length it is as good as none."""
    found = automaton(constraint, LONG, join, most=4)
    state = found.follow(0, ids)
    more = [0, 1, 2, 3, 4]
    lengths = [
        length
        for length in more
        if any(allows(constraint, join(LONG)((*ids, *rest))) for rest in product(range(3, 9), repeat=length))
    ]

    if state == NOWHERE:
        assert not lengths
    else:
        assert found.distance(state) == (lengths[0] if lengths else FAR)


@given(st.lists(st.text("ab c", min_size=1, max_size=3), min_size=1, max_size=8, unique=True), st.data())
def test_pieces_put_together_are_the_joined_text(tokens, data):
    """Whatever stands between two tokens, each piece is what its token adds."""
    join = data.draw(st.sampled_from([plain, spaced]))(tokens)
    pieces = Pieces(join, range(3, 3 + len(tokens)))
    ids = data.draw(st.lists(st.integers(3, 2 + len(tokens)), max_size=6))

    kinds = [0, *map(pieces.kind, ids)]
    lists = [{piece.id: piece.text for piece in pieces.after(kind)} for kind in kinds]
    texts = [adds[id] for adds, id in zip(lists, ids, strict=False)]

    assert "".join(texts) == join(ids)
    assert all(len(text) <= pieces.longest for adds in lists for text in adds.values())


@pytest.mark.parametrize("tokens", [["a", " "], ["a ", " ", " b"]])
def test_a_space_that_few_pairs_need_is_found(tokens):
    """In one list only a token beside itself needs it, in the other only the last before the first."""
    pieces = Pieces(spaced(tokens), range(3, 3 + len(tokens)))

    for a, b in product(range(3, 3 + len(tokens)), repeat=2):
        added = {piece.id: piece.text for piece in pieces.after(pieces.kind(a))}
        assert spaced(tokens)([a]) + added[b] == spaced(tokens)([a, b])


def test_a_tokenizer_that_changes_what_it_joins_is_refused():
    """Constraints cannot be kept where a token changes the one before it."""
    with pytest.raises(BotError, match="makes 'AA' of 'a' and 'a': constraints cannot follow"):
        Pieces(lambda ids: "ab"[ids[0] - 3] if len(ids) == 1 else "".join("AB"[id - 3] for id in ids), [3, 4])


def test_a_search_without_end_is_given_up(monkeypatch):
    """It says what would help, instead of taking for ever."""
    monkeypatch.setattr(module, "MOST_STATES", 50)

    class Endless:
        start = ""

        def advance(self, state, character):
            return state + character

        def missing(self, state):
            return 1

    with pytest.raises(BotError, match="a smaller max_length would help"):
        automaton(Endless(), LETTERS, most=100).distance(0)


def test_masks_are_made_once():
    """The same state and the same room are the same array."""
    found = automaton(Depth(), LETTERS, most=50)

    assert found.mask(0, 50) is found.mask(0, 49)
    assert math.isinf(found.mask(0, 1)[3 + LETTERS.index("(")])
