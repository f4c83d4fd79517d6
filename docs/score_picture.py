"""Draws the score in docs/renderers.md.

python -m docs.score_picture
"""

from pathlib import Path

from bot.config import Choice
from bot.registry import Registry

TUNE = """T:Reel of Ash
M:6/8
K:Dm
|: "Dm" A2 D FED | "C" E2 F GAB | "Dm" A2 d cBA |1 "Gm" G2 B "A" A3 :|2 "A" E2 C "Dm" D3 |]
"""


def main() -> None:
    draw = Registry(None, Path()).build("renderers", Choice("score", {"gives": ["png"], "width": 900}))
    [png] = draw(TUNE)
    Path(__file__).with_name("score.png").write_bytes(png.content)


if __name__ == "__main__":
    main()
