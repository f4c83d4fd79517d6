"""The one-way flow, read from the imports: who may know of whom, and which room owns which library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import shipped

ROOT = shipped()
ORDER = [  # a room imports only what stands before it
    *("errors", "disguises", "records", "logs", "interfaces", "config", "hookspecs", "uptime", "systemd"),
    *("child", "registry", "text", "notation", "__init__", "model", "curation", "store", "review", "posting"),
    *("rendering", "reports", "web"),
    *(
        "events",
        "pulse",
        "house",
        "health",
        "host",
        "figures",
        "trainer",
        "sweep",
        "importing",
        "brakes",
        "duty",
        "reaching",
    ),
    *("filling", "delivering"),
    *("pipeline", "doctor", "status", "postmortem", "outlook", "story"),
    *("reproduction", "page", "cli", "__main__"),
]
WIRING = {"registry", *ORDER[ORDER.index("events") :]}  # what may know the configuration and the registry
TORCH_FREE = {"curation", "store", "review", "posting", "web"}
OWNERS = {
    "yaml": {"bot/config"},
    "pluggy": {"bot/__init__.py", "bot/hookspecs.py", "bot/registry"},
    "torch": {"bot/model", "plugins/cells"},
    "safetensors": {"bot/model"},
    "sqlalchemy": {"bot/store"},
    "alembic": {"bot/store"},
    "apscheduler": {"bot/posting/schedule.py"},
    "textual": {"bot/review"},
    "prometheus_client": {"bot/health/metrics.py"},
    "typer": {"bot/cli"},
    **{name: {"bot/web"} for name in ("fastapi", "starlette", "uvicorn", "jinja2", "itsdangerous", "argon2")},
    "matplotlib": {"bot/reports", "plugins/renderers"},
    "verovio": {"plugins/renderers/score.py"},
    "resvg_py": {"plugins/renderers/score.py"},
    "soundfile": {"plugins/renderers/score.py"},
    "tweepy": {"plugins/targets/x.py"},
    "mastodon": {"plugins/targets/mastodon.py"},
    "atproto": {"plugins/targets/bluesky.py"},
    "apprise": {"plugins/targets/notify.py"},
    "ahocorasick": {"plugins/filters"},
    "confusable_homoglyphs": {"bot/curation/alike", "plugins/filters"},
    "pydivsufsort": {"bot/curation/suffixes.py"},
}
HEAVY = {
    *("torch", "matplotlib", "textual", "sqlalchemy", "ahocorasick", "requests"),
    *("tweepy", "mastodon", "atproto", "apprise", "verovio", "resvg_py", "soundfile"),
}

BOT = sorted((ROOT / "bot").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """The dotted names a file imports anywhere in it: `from bot import errors` is bot.errors."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)}:{node.lineno}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms(path: Path) -> set[str]:
    """The rooms of bot/ that a file imports from; a name of the door itself is in the room `__init__`."""
    names = {name.split(".")[1] for name in imports(path) if name.startswith("bot.")}
    return {name if name in ORDER else "__init__" for name in names}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "bot").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", BOT, ids=name_of)
def test_rooms_import_only_leftwards(path):
    """A room knows those before it and nothing of those behind it."""
    room = room_of(path)
    wrong = {other for other in rooms(path) - {room} if ORDER.index(other) > ORDER.index(room)}

    assert not wrong, f"{room} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("path", [path for path in BOT if room_of(path) in TORCH_FREE], ids=name_of)
def test_what_reviews_and_posts_knows_no_model(path):
    """Reviewing and posting start fast and run on a small server."""
    assert not rooms(path) & {"text", "model"}


@pytest.mark.parametrize("path", [path for path in BOT if room_of(path) not in WIRING], ids=name_of)
def test_stages_are_handed_objects(path):
    """Only what wires the rooms together sees the configuration and the registry."""
    assert not rooms(path) - {room_of(path)} & {"config", "registry"}


@pytest.mark.parametrize("path", BOT + PLUGINS, ids=name_of)
def test_every_library_has_one_owner(path):
    """A library is used where its room is, so that it can be replaced there."""
    name = name_of(path)
    used = {dotted.split(".")[0] for dotted in imports(path)} & OWNERS.keys()
    wrong = {library for library in used if not any(name.startswith(place) for place in OWNERS[library])}

    assert not wrong, f"{name} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("path", PLUGINS, ids=name_of)
def test_a_plugin_stands_alone(path):
    """It imports the door `bot` (a cell `bot.model` too) and libraries, no room and no other plugin."""
    allowed = {"__init__", "model"} if path.parent.name == "cells" else {"__init__"}
    others = {other.stem for other in PLUGINS if other != path}  # mastodon.py may import the library mastodon

    assert rooms(path) <= allowed
    assert not {dotted.split(".")[0] for dotted in imports(path)} & {"plugins", *others}


def test_the_door_lists_what_it_gives():
    """What a plugin may import is in __all__, and it is there."""
    import bot

    assert all(hasattr(bot, name) for name in bot.__all__)


def loaded_by(code: str, libraries: set[str] = HEAVY) -> set[str]:
    """The heavy libraries that a fresh Python has loaded after running some code."""
    code += f"; import sys; print(*(sys.modules.keys() & {libraries!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(run.stdout.split())


def test_looking_at_plugins_loads_nothing_heavy():
    """Heavy libraries are imported inside factories; only cells load torch, when they are looked up."""
    code = (
        "from pathlib import Path; from bot.registry import KINDS, Registry; "
        "[Registry(None, Path()).names(kind) for kind in KINDS if kind != 'cells']"
    )
    assert loaded_by(code) == set()


def test_a_first_sample_waits_for_nothing_it_has_no_use_for():
    """torch's compiler alone would take as long as torch itself."""
    code = (
        "from bot.config import load, shipped; from bot.house import House; "
        "from bot.records import Sampling; house = House(load(shipped() / 'config.yaml')); "
        "house.sampler('death_metal').sample(Sampling(), 1, [0])"
    )
    unwanted = {"torch._dynamo", "sympy", "onnx", "tweepy", "textual", "glin_profanity", "matplotlib"}
    assert loaded_by(code, unwanted) == set()


@pytest.mark.parametrize(
    "room", sorted({room_of(path) for path in BOT} & {*TORCH_FREE, "config", "registry"})
)
def test_importing_a_room_does_not_load_torch(room):
    """Also not by way of another room."""
    modules = [name_of(path).removesuffix(".py").replace("/", ".") for path in BOT if room_of(path) == room]
    names = [name.removesuffix(".__init__") for name in modules if ".migrations" not in name]

    assert "torch" not in loaded_by(f"import {', '.join(names)}")
