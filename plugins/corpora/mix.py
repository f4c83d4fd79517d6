"""A corpus made of several others, in equal parts if wanted; each item is told by the name of its source."""

import random
from collections.abc import Callable, Iterable, Iterator

from bot import Corpora, CorpusError, Document, hookimpl


class Mix:
    """The items of all `sources`, corpora by names of your own, one source after another.

    An item that occurs twice counts once, for the first source that has it. balance: of every source as many
    as the smallest has, drawn by `seed`.
    """

    def __init__(self, sources: Corpora, balance: bool = True, seed: int = 1):
        if len(sources) < 2:
            msg = "a mix has two sources at least"
            raise ValueError(msg)
        self._sources, self._balance, self._seed = sources, balance, seed
        self.steps: list[tuple[str, int]] = []  # what is left after each step, and how many

    def __iter__(self) -> Iterator[Document]:
        seen: set[str] = set()
        pools = {name: list(_distinct(name, items, seen)) for name, items in self._sources.items()}
        fewest = min(map(len, pools.values()))
        self.steps = [(f"{name}: distinct", len(pool)) for name, pool in pools.items()]
        for name, pool in pools.items():
            taken = self._drawn(pool, fewest) if self._balance else pool
            self.steps.append((f"{name}: taken", len(taken)))
            yield from (Document(text, source=name) for text in taken)

    def _drawn(self, pool: list[str], count: int) -> list[str]:
        chosen = sorted(random.Random(self._seed).sample(range(len(pool)), count))
        return [pool[at] for at in chosen]


def _distinct(name: str, items: Iterable[Document | str], seen: set[str]) -> Iterator[str]:
    before = len(seen)
    for item in items:
        text = item.text if isinstance(item, Document) else item
        if not isinstance(text, str):
            msg = f"source {name}: {item!r:.60} is no text: a corpus yields str or Document"
            raise CorpusError(msg)
        if (text := text.strip()) and text not in seen:
            seen.add(text)
            yield text
    if len(seen) == before:
        msg = f"source {name}: it has no item that the sources before it have not"
        raise CorpusError(msg)


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterable[Document]]]:
    return {"mix": Mix}
