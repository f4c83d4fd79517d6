"""Takes the first chart out of reports of `bot reproduce`, for docs/reproducing.md.

python -m docs.seed_figures reports/S4a-document
"""

import re
import sys
from pathlib import Path

# Light and dark, as the report's own page has them; the chart keeps its background in both.
COLOURS = re.compile(r":root \{(.*?)\}", re.DOTALL)


def main(folders: list[str]) -> None:
    for folder in map(Path, folders):
        page = (folder / "report.html").read_text(encoding="utf-8")
        picture = Path(__file__).with_name("figures") / f"{folder.name.partition('-')[0]}.svg"
        picture.write_text(standalone(page), encoding="utf-8")


def standalone(page: str) -> str:
    """The page's first chart with the colours that it names."""
    chart = re.search(r"<svg\b.*?</svg>", page, re.DOTALL)
    if chart is None:
        msg = "the report has no chart"
        raise SystemExit(msg)
    light, dark = COLOURS.findall(page)[:2]
    style = f"<style>:root {{{light}}} @media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}</style>"
    head, rest = chart[0].split(">", 1)
    # matplotlib ends lines with a space; a file of ours does not
    return re.sub(r"[ \t]+$", "", f"{head}>\n {style}{rest}\n", flags=re.MULTILINE)


if __name__ == "__main__":
    main(sys.argv[1:])
