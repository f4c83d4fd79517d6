"""How a model's tokenizer cuts texts, and what the network reads and is asked for: the same moved by one."""

from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.lab import Lab
from bot.text.vocabulary import END, START

MOST = 8  # tokens of the held-out text that are shown as numbers


def step(lab: Lab, model: str, texts: tuple[str, ...], bar: str = "|", title: str = "Tokens") -> Section:
    """The texts cut into tokens with bars between; of a held-out one what is read and what is asked for.

    Figures: first (the first text cut), same (whether the tokens give every text back), vocabulary, read,
    asked.
    """
    with lab.opened(model) as trainer:
        cut = [trainer.split(text) for text in texts]
        whole = all(trainer.join(tokens) == text for tokens, text in zip(cut, texts, strict=True))
        example = min(trainer.held_out, key=lambda one: (abs(len(one.text) - MOST), one.text)).text
        words = trainer.split(example)[:MOST]
        ids, size = trainer.vocabulary.encode(words), trainer.vocabulary_size
    rows: list[tuple[Cell, ...]] = [
        (what, bar.join(map(str, numbers)))
        for what, numbers in (("words", words), ("read", [START, *ids]), ("asked for", [*ids, END]))
    ]
    figures: dict[str, Figure] = {
        "first": bar.join(cut[0]),
        "same": "the tokens give the text back" if whole else "the tokens do not give the text back",
        "vocabulary": float(size),
        "read": str([START, *ids]),
        "asked": str([*ids, END]),
    }
    return Section(
        title=title,
        tables=[
            Table(
                "Texts",
                ("text", "tokens"),
                [(text, bar.join(one)) for text, one in zip(texts, cut, strict=True)],
            ),
            Table("A held-out example", ("what", "tokens"), rows),
        ],
        figures=figures,
    )
