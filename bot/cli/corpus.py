"""corpus: what a model learns from, in numbers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.cli.app import HERE, AsJson, ConfigPath, DataFolder, ModelName, app, open_house, print_json

if TYPE_CHECKING:
    from bot.text.statistics import Statistics

BARS, WIDTH = 9, 40  # of the histogram: lines, and signs of the longest


@app.command()
def corpus(
    model: ModelName,
    data: DataFolder = None,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Say what a model's corpus holds: size, repetitions, alphabet, lengths, and whether it is too small."""
    from bot.text.statistics import Statistics

    found = Statistics(open_house(config, data).corpus(model))
    if as_json:
        print_json(_as_data(found))
        return
    for line in _lines(found):
        print(line)


def _as_data(found: "Statistics") -> dict[str, Any]:
    from bot.text.statistics import QUANTILES

    return {
        "steps": dict(found.corpus.steps),
        **found.corpus.counts,
        "bytes": found.bytes,
        "sources": found.corpus.sources,
        "alphabet": dict(found.alphabet.most_common()),
        "spaced": found.spaced,
        "distinct_words": len(found.words),
        "once_only_share": found.once,
        "lengths": {f"{share:.0%}": found.length_at(share) for share in QUANTILES},
        "longest": found.lengths[-1],
        "sha256": found.corpus.sha256,
        "warnings": found.warnings,
    }


def _lines(found: "Statistics") -> Iterator[str]:
    counts = found.corpus.counts
    rows = [(what, f"{count:,}") for what, count in found.corpus.steps]
    rows += [
        ("items read", f"{counts['read']:,}"),
        ("empty, repeated", f"{counts['empty']:,}, {counts['repeated']:,}"),
        ("kept", f"{counts['kept']:,}"),
        ("size", f"{counts['characters']:,} characters, {found.bytes:,} bytes"),
        *((f"from {source}", f"{count:,}") for source, count in found.corpus.sources.items()),
        *_words(found),
        ("alphabet", f"{len(found.alphabet):,} characters, the rarest {_shown(found.rarest)}"),
        ("lengths", _lengths(found)),
    ]
    wide = max(len(what) for what, _ in rows)
    yield from (f"{what:{wide}}  {value}" for what, value in rows)
    yield ""
    yield from _histogram(found)
    yield from (f"warning: {one}." for one in found.warnings)


def _words(found: "Statistics") -> Iterator[tuple[str, str]]:
    if not found.spaced:
        yield "words", "not counted: no spaces stand between them"
        return
    yield "words", f"{found.words.total():,}, {len(found.words):,} distinct"
    yield "once only", f"{found.once:.0%} of the distinct words"


def _shown(signs: list[str]) -> str:
    return " ".join(map(_sign, signs))


def _sign(sign: str) -> str:
    """What would leave a gap or none, by its code."""
    if sign == " ":
        return r"\x20"
    return sign if sign.isprintable() and not sign.isspace() else ascii(sign)[1:-1]


def _lengths(found: "Statistics") -> str:
    low, median, high = (found.length_at(share) for share in (0.05, 0.5, 0.95))
    return f"{median:,} characters in the middle, {low:,} to {high:,} mostly, {found.lengths[-1]:,} at most"


def _histogram(found: "Statistics") -> Iterator[str]:
    bars = found.histogram(BARS)
    most, wide = max(count for *_, count in bars), len(f"{bars[-1][1]:,}")
    for first, last, count in bars:
        bar = "█" * round(WIDTH * count / most)
        yield f"{first:{wide},} to {last:{wide},}  {bar or ('▏' if count else '')} {count:,}"
