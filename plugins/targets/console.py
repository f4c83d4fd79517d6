"""A target: the terminal. What was printed cannot be asked for again, so its kind is opaque."""

import sys
import unicodedata

from bot import BotError, Post, Receipt, Takes, hookimpl


class Console:
    """Prints each post as one line, in colour where the terminal has it."""

    kind = "opaque"
    account = "console"
    max_length = None
    takes = (Takes(("*/*",), most=8),)  # it names them

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        from rich.console import Console as Terminal
        from rich.text import Text

        names = "".join(f"  + {one.name}" for one in post.media)
        parts = (post.bot, "bold magenta"), (" » ", "dim"), (post.text, "bold"), (names, "dim")
        line = Text.assemble(*((_visible(text), style) for text, style in parts))
        Terminal(file=sys.stdout, highlight=False, soft_wrap=True).print(line)
        sys.stdout.flush()
        return Receipt(evidence="printed")

    def find(self, post: Post) -> Receipt | None:
        msg = "what was printed on the console cannot be asked for again"
        raise BotError(msg)


def _visible(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey or hide."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = "".join(map(_shown, text))
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def _shown(char: str) -> str:
    if char.isprintable() or unicodedata.category(char) == "Zs":  # spaces of all scripts
        return char
    return char.encode("unicode_escape").decode()


@hookimpl
def register_targets():
    return {"console": Console}
