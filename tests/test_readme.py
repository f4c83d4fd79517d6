"""The README keeps its word: its commands run, its plugin is short and works, its tree is the tree."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MONTHS = ("March", "May", "October", "winter")
INTERACTIVE = {"bot review"}  # driven in test_terminal.py


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """The commands of each console block."""
    found = [
        [line[2:] for line in block.splitlines() if line.startswith("$ ")] for block in blocks("console")
    ]
    return [block for block in found if not set(block) <= INTERACTIVE]


def shell(lines: list[str], folder: Path) -> str:
    """Run the lines in one shell that stops at the first failure; what they printed."""
    script = "\n".join([f'bot() {{ "{sys.executable}" -m bot "$@"; }}', "set -e", *lines])
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_bot_of_ones_own(tmp_path):
    """init, fill, queue, approve, post, status, as printed: the approved name ends in the bot's own feed."""
    [first, _] = commands()

    out = shell(first, tmp_path)

    posted = (tmp_path / "mybot" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(posted) == 1
    assert "1 posted" in out


def test_the_corpus_plugin(tmp_path):
    """The printed plugin, at most 15 lines, with the printed settings and commands trains and samples."""
    [plugin], [settings] = blocks("python"), blocks("yaml")
    place = re.match(r"# (plugins/\S+)\n", plugin)[1]
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(plugin.partition("\n")[2])
    (tmp_path / "config.yaml").write_text(settings)
    headings = itertools.product(("Mend", "Oil", "Sell", "Paint"), ("boat", "roof", "clock", "gate"), MONTHS)
    notes = [f"# {verb} the {thing} in {month}\n\nSome text.\n" for verb, thing, month in headings]
    (tmp_path / "notes.md").write_text("\n".join(notes))
    [_, second] = commands()

    out = shell(second, tmp_path)

    assert len(plugin.partition("\n")[2].strip().splitlines()) <= 15
    assert len(out.splitlines()) >= 10


def test_the_tree_is_the_tree():
    """Every room in the README exists, and every room that exists is in the README."""
    [tree] = re.findall(r"^```\n(config\.yaml .*?)^```", README, re.MULTILINE | re.DOTALL)
    top = {word for line in tree.splitlines() if not line.startswith(" ") for word in line.split()[:1]}
    inside = set(re.findall(r"^  ((?:\S+\.py |\w+/)(?:\S+\.py )*)", tree, re.MULTILINE))
    listed = {name for names in inside for name in names.split()}

    assert all((ROOT / name).exists() for name in top)
    assert all((ROOT / "bot" / name).exists() for name in listed)
    rooms = {f"{path.parent.name}/" for path in (ROOT / "bot").glob("*/__init__.py")}
    assert rooms <= listed


def links(page: Path) -> list[str]:
    """To files."""
    return re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8"))


PAGES = [ROOT / "README.md", ROOT / "plugins" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_and_links_is_there(page):
    """No dead link, no missing picture."""
    targets = links(page)

    assert targets or page.parent.name == "docs"  # the two guides have some, not every page of docs/
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_two_commands_are_in_the_makefile(target):
    """`make run` and `make test`, as the top of the page says."""
    makefile = (ROOT / "Makefile").read_text()

    assert f"make {target}" in README.split("##")[0]
    assert re.search(rf"^{target}: \$\(VENV\)", makefile, re.MULTILINE)
