"""Turns what a terminal showed into a picture for the README.

script -qec "bot run --demo" /dev/null | python docs/picture.py docs/demo.svg "make run"
"""

import io
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 108  # columns
LINES = 34  # the first ones are drawn


def main(path: str, title: str) -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in sys.stdin.read().replace("\r", "").split("\n")[:LINES]:
        console.print(Text.from_ansi(line), soft_wrap=True)
    console.save_svg(path, title=title)


if __name__ == "__main__":
    main(*sys.argv[1:])
