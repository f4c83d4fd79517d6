"""Turns what a terminal showed into an SVG: `script -qec "bot run --demo" | python docs/picture.py FILE TITLE`."""

import sys

from rich.console import Console
from rich.text import Text

WIDTH = 108  # columns


def main(path: str, title: str, most: int = 34) -> None:
    lines = sys.stdin.read().replace("\r", "").split("\n")[:most]
    console = Console(record=True, width=WIDTH, file=open("/dev/null", "w"))
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    console.save_svg(path, title=title)


if __name__ == "__main__":
    main(*sys.argv[1:])
