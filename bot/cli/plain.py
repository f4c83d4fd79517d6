"""Generated text for the terminal: it may hold anything, and none of it is markup or a control code."""

from unicodedata import category

from rich.text import Text


def plain(text: str, style: str = "") -> Text:
    """The text on one line, with control and invisible signs made visible; spaces of all scripts stay."""
    return Text(
        "".join(c if c.isprintable() or category(c) == "Zs" else f"\\x{ord(c):02x}" for c in text), style
    )
