"""Plugins: found, looked up by name, given their options; one that fails harms no other."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from bot.config import Choice, Place, shipped
from bot.errors import ConfigError, CorpusError, PluginError
from bot.records import Secret
from bot.registry import KINDS, Registry
from bot.registry import plugins as loading

GREETINGS = """
from bot import hookimpl

def greetings(count: int = 1):
    "Yield greetings."
    return ["hail"] * count

@hookimpl
def register_corpora():
    return {"greetings": greetings}
"""
ASSEMBLY = """
from pathlib import Path
from typing import Literal

from bot import Secret, hookimpl

def assembly(
    size: int,
    share: float = 0.5,
    loud: bool = False,
    mode: Literal["soft", "hard"] = "soft",
    words: tuple[str, ...] = (),
    where: dict[str, str] | None = None,
    path: Path | None = None,
    home: Path = Path("home.txt"),
    token: Secret | None = None,
    free=None,
):
    "Return what it was given."
    return locals()

@hookimpl
def register_filters():
    return {"assembly": assembly}
"""


@pytest.fixture
def user_plugins(tmp_path):
    """Writes plugin files into the folder beside the user's config.yaml."""
    folder = tmp_path / "plugins"

    def write(files: dict[str, str]) -> Registry:
        for name, source in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(source))
        return Registry(folder, tmp_path)

    return write


@pytest.fixture
def build(user_plugins):
    """Builds the test's filter with options."""
    registry = user_plugins({"filters/assembly.py": ASSEMBLY})

    def with_options(**options):
        place = Place("config.yaml", 14, 9, "bots.b.filters.2.assembly")
        places = {name: Place("config.yaml", 14, 20, f"bots.b.filters.2.assembly.{name}") for name in options}
        return registry.build("filters", Choice("assembly", options, place, places))

    return with_options


def error_of(build, **options) -> str:
    with pytest.raises(ConfigError) as caught:
        build(**options)
    return str(caught.value)


# ---- where plugins come from --------------------------------------------------------------------


def test_the_shipped_plugins_are_there():
    """Without any folder of the user's, the program has plugins of its own."""
    registry = Registry(None, Path())

    assert {"lines", "csv_column", "text_folder", "unicode_names"} <= set(registry.names("corpora"))


@pytest.mark.parametrize("place", ["corpora/greetings.py", "greetings.py"])
def test_a_users_plugin_is_a_file_in_a_kinds_folder_or_beside_them(user_plugins, place):
    """Both are found, and used exactly like a shipped one."""
    registry = user_plugins({place: GREETINGS})

    assert registry.build("corpora", Choice("greetings", {"count": 2})) == ["hail", "hail"]


def test_an_installed_package_gives_plugins_by_entry_point(monkeypatch, tmp_path):
    """The group is `bot`; the entry point names the module."""
    (tmp_path / "bot_greetings.py").write_text(GREETINGS)
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("greetings", "bot_greetings", "bot")
    monkeypatch.setattr(loading.metadata, "entry_points", lambda group: [point] if group == "bot" else [])

    registry = Registry(None, tmp_path)

    assert registry.build("corpora", Choice("greetings")) == ["hail"]
    assert "entry point greetings = bot_greetings" in [report.place for report in registry.reports()]


def test_a_kind_is_loaded_when_it_is_first_looked_up(user_plugins, tmp_path):
    """Looking a filter up runs no target's code."""
    mark = tmp_path / "loaded"
    source = (
        GREETINGS.replace("corpora", "targets")
        + f"\nimport pathlib; pathlib.Path({str(mark)!r}).open('x').close()\n"
    )
    registry = user_plugins({"targets/greetings.py": source})

    registry.names("filters")
    assert not mark.exists()

    registry.names("targets")
    registry.names("targets")  # a second run would fail to create the file
    assert mark.exists()
    assert "greetings" in registry.names("targets")


def test_only_cells_load_torch():
    """What reviews and posts never waits for torch."""
    code = (
        "import sys; from pathlib import Path; from bot.registry import KINDS, Registry;"
        "registry = Registry(None, Path());"
        "[registry.names(kind) for kind in KINDS if kind != 'cells'];"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_programs_own_folder_is_not_loaded_twice():
    """In a checkout the shipped plugins lie beside the shipped config.yaml."""
    ours = shipped()

    assert "lines" in Registry(ours / "plugins", ours).names("corpora")


def test_a_plugin_leaves_no_trace(user_plugins, tmp_path):
    """No entry in sys.path, no bytecode in the user's folder."""
    path = list(sys.path)

    user_plugins({"corpora/greetings.py": GREETINGS}).names("corpora")

    assert sys.path == path
    assert [entry.name for entry in (tmp_path / "plugins" / "corpora").iterdir()] == ["greetings.py"]


def test_a_file_of_the_same_name_as_a_shipped_one_is_a_module_of_its_own(user_plugins):
    """Two files called lines.py do not get in each other's way."""
    registry = user_plugins({"corpora/lines.py": GREETINGS})

    assert {"greetings", "lines"} <= set(registry.names("corpora"))


def test_a_plugin_may_define_dataclasses(user_plugins):
    """Their annotations are looked up in the plugin's module."""
    source = """
    from __future__ import annotations
    from dataclasses import dataclass
    from typing import ClassVar
    from bot import hookimpl

    @dataclass
    class Greetings:
        count: int = 1
        word: ClassVar[str] = "hail"

    @hookimpl
    def register_corpora():
        return {"greetings": Greetings}
    """
    greetings = user_plugins({"corpora/greetings.py": source}).build(
        "corpora", Choice("greetings", {"count": 3})
    )

    assert greetings.count == 3


# ---- failures -----------------------------------------------------------------------------------

HOOK = "from bot import hookimpl\n"
BROKEN = {
    "raises": ("import bot\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
    "exits": ("import sys\nsys.exit('bye')\n", "line 2: SystemExit: bye"),
    "syntax": ("x = 1\ndef (:\n", "line 2: SyntaxError: invalid syntax"),
    "missing": ("import no_such_library\n", "line 1: ModuleNotFoundError: No module named 'no_such_library'"),
    "wrong_type": (
        f"{HOOK}@hookimpl\ndef register_corpora():\n    return ['a']\n",
        "register_corpora must return {name: factory}, not ['a']",
    ),
    "no_factory": (
        f"{HOOK}@hookimpl\ndef register_corpora():\n    return {{'a': 1}}\n",
        "register_corpora must return {name: factory}, not {'a': 1}",
    ),
    "unknown_hook": (
        f"{HOOK}@hookimpl\ndef register_corpra():\n    return {{}}\n",
        "unknown hook 'register_corpra'",
    ),
    "arguments": (
        f"{HOOK}@hookimpl\ndef register_corpora(config):\n    return {{}}\n",
        "hookimpl definition: register_corpora(config)",
    ),
    "hook_raises": (
        f"{HOOK}@hookimpl\ndef register_corpora():\n    raise KeyError('x')\n",
        "line 4: KeyError: 'x'",
    ),
    "unmarked": ("def register_corpora():\n    return {}\n", "it registers nothing: decorate a function"),
    "misplaced": (
        f"{HOOK}@hookimpl\ndef register_targets():\n    return {{'a': print}}\n",
        "it stands in corpora/ but registers targets",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_set_aside_with_one_line(user_plugins, capsys, name):
    """The others of its kind work, stdout stays clean, stderr has one line: file, line and failure."""
    source, failure = BROKEN[name]
    registry = user_plugins({f"corpora/{name}.py": source, "corpora/greetings.py": GREETINGS})

    assert registry.build("corpora", Choice("greetings")) == ["hail"]
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert f"plugins/corpora/{name}.py is set aside: " in line
    assert failure in line


def test_what_a_plugin_prints_does_not_reach_stdout(user_plugins, capsys):
    """One JSON document on stdout stays one JSON document."""
    user_plugins({"corpora/greetings.py": f"print('hello')\n{GREETINGS}"}).names("corpora")

    assert capsys.readouterr() == ("", "hello\n")


def test_ctrl_c_while_plugins_load_stops_the_program(user_plugins):
    """It is the person's, not the plugin's."""
    registry = user_plugins({"corpora/slow.py": "raise KeyboardInterrupt"})

    with pytest.raises(KeyboardInterrupt):
        registry.names("corpora")


def test_a_name_that_nobody_gives_quotes_what_was_set_aside(user_plugins):
    """The error says where the name stands, what there is, and why a plugin is missing."""
    registry = user_plugins({"corpora/greetings.py": "1 / 0"})
    place = Place("config.yaml", 4, 14, "models.a.corpus")

    with pytest.raises(PluginError) as caught:
        registry.look_up("corpora", "greetings", place)

    message = str(caught.value)
    assert message.startswith("config.yaml:4:14: models.a.corpus: no corpus is called 'greetings' (have ")
    assert message.endswith("plugins/corpora/greetings.py: line 1: ZeroDivisionError: division by zero")
    assert "\n" not in message


def test_a_near_name_is_suggested():
    """A slip of the pen costs one look."""
    with pytest.raises(
        PluginError, match=r"no corpus is called 'linse' \(have .*\)\. Did you mean 'lines'\?"
    ):
        Registry(None, Path()).look_up("corpora", "linse")


def test_the_same_name_twice_is_an_error_that_names_both(user_plugins, capsys):
    """No order decides; the names that only one gives go on working."""
    registry = user_plugins(
        {
            "corpora/a.py": GREETINGS,
            "b.py": GREETINGS.replace('"greetings": g', '"other": greetings, "greetings": g'),
        }
    )

    assert registry.build("corpora", Choice("other")) == ["hail"]
    assert "greetings" not in registry.names("corpora")
    with pytest.raises(
        PluginError, match=r"'greetings' is given by .*/corpora/a\.py and .*/b\.py\. Rename one"
    ):
        registry.look_up("corpora", "greetings")
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("b.py. Rename one")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
@pytest.mark.parametrize("place", ["plugins", "plugins/corpora", "plugins/corpora/greetings.py"])
def test_plugins_that_others_may_write_are_refused(user_plugins, tmp_path, place):
    """A folder or a file open to other accounts is set aside, and the error says how to mend it."""
    registry = user_plugins({"corpora/greetings.py": GREETINGS})
    open_to_all = tmp_path / place
    open_to_all.chmod(open_to_all.stat().st_mode | 0o002)

    with pytest.raises(PluginError, match=r"others may write .*: chmod o-w"):
        registry.look_up("corpora", "greetings")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_a_group_may_write_plugins(user_plugins, tmp_path):
    """Many systems give every user a group of their own and set g+w on every file."""
    registry = user_plugins({"corpora/greetings.py": GREETINGS})
    (tmp_path / "plugins" / "corpora" / "greetings.py").chmod(0o664)

    assert "greetings" in registry.names("corpora")


def test_reports_tell_of_every_plugin(user_plugins):
    """What loaded, from where, what it registered, what failed and why."""
    registry = user_plugins({"corpora/greetings.py": GREETINGS, "filters/bad.py": "1 / 0"})

    reports = {report.name: report for report in registry.reports()}

    assert reports["greetings"].registered == {"corpora": ("greetings",)}
    assert reports["bad"].failure == "line 1: ZeroDivisionError: division by zero"
    assert reports["bad"].place.endswith("plugins/filters/bad.py")
    assert {kind for report in reports.values() for kind in report.registered} >= {"corpora", "cells"}


def test_a_name_given_twice_shows_in_the_reports(user_plugins):
    """Both files say what they collide with."""
    registry = user_plugins({"corpora/a.py": GREETINGS, "corpora/b.py": GREETINGS})

    reports = {report.name: report for report in registry.reports()}

    assert "Rename one" in reports["a"].failure
    assert "Rename one" in reports["b"].failure


# ---- options ------------------------------------------------------------------------------------


def test_options_become_typed_arguments(build, tmp_path):
    """The annotations decide; what is left out keeps the factory's default."""
    got = build(size=3, share=1, mode="hard", words=["a", "b"], where={"a": "b"}, free=[1])

    assert (got["size"], got["share"], got["mode"]) == (3, 1.0, "hard")
    assert (got["words"], got["where"], got["free"]) == (("a", "b"), {"a": "b"}, [1])
    assert got["loud"] is False


def test_paths_begin_at_the_configurations_folder(build, tmp_path):
    """The same config.yaml means the same files wherever the command is run, defaults included."""
    got = build(size=1, path="data/names.txt")

    assert got["path"] == tmp_path / "data" / "names.txt"
    assert got["home"] == tmp_path / "home.txt"
    assert build(size=1, path="/etc/names.txt")["path"] == Path("/etc/names.txt")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"size": 1, "sise": 2},
            "config.yaml:14:20: bots.b.filters.2.assembly: no option 'sise' (have free, home, loud, "
            "mode, path, share, size, token, where, words). Did you mean 'size'?",
        ),
        ({}, "config.yaml:14:9: bots.b.filters.2.assembly: the option 'size' is missing"),
        (
            {"size": "3"},
            "config.yaml:14:20: bots.b.filters.2.assembly.size: expected a whole number, not '3'",
        ),
        (
            {"size": True},
            "config.yaml:14:20: bots.b.filters.2.assembly.size: expected a whole number, not true",
        ),
        (
            {"size": None},
            "config.yaml:14:20: bots.b.filters.2.assembly.size: expected a whole number, not null",
        ),
        (
            {"size": 1, "mode": "sof"},
            "config.yaml:14:20: bots.b.filters.2.assembly.mode: there is no 'sof' (have hard, soft). "
            "Did you mean 'soft'?",
        ),
        (
            {"size": 1, "words": "ab"},
            "config.yaml:14:20: bots.b.filters.2.assembly.words: expected a list, not 'ab'",
        ),
        (
            {"size": 1, "where": {"year": 1984}},
            "config.yaml:14:20: bots.b.filters.2.assembly.where: expected a text, not 1984",
        ),
        ({"size": 1, "path": 5}, "config.yaml:14:20: bots.b.filters.2.assembly.path: expected a text, not 5"),
    ],
)
def test_a_wrong_option_is_named_with_its_place(build, options, message):
    """File, line, column, dotted key, what is wrong and what would be right."""
    assert error_of(build, **options) == message


def test_all_wrong_options_are_listed(build):
    """One line each."""
    assert len(error_of(build, size="x", share="y", other=1).splitlines()) == 3


def test_the_programs_arguments_are_no_options(user_plugins):
    """What the program supplies is handed over and cannot be set by a user."""
    registry = user_plugins({"filters/assembly.py": ASSEMBLY})

    assert registry.build("filters", Choice("assembly"), size=8)["size"] == 8
    with pytest.raises(ConfigError, match="no option 'size'"):
        registry.build("filters", Choice("assembly", {"size": 9}), size=8)


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        ("ValueError('min is above max')", ConfigError, "greetings: min is above max"),
        ("BotError('min is above max')", ConfigError, "greetings: min is above max"),
        ("CorpusError('greetings.txt: empty')", CorpusError, "greetings.txt: empty"),
        ("TypeError('oops')", PluginError, "greetings: the corpus failed: TypeError: oops"),
        ("SystemExit(3)", PluginError, "greetings: the corpus failed: SystemExit: 3"),
    ],
)
def test_a_factory_that_fails_is_said_in_words(user_plugins, raised, expected, message):
    """Its own check of the options, its own kind of error, or a bug of the plugin: never a crash."""
    source = GREETINGS.replace("hookimpl\n", "BotError, CorpusError, hookimpl\n", 1).replace(
        "return [", f"raise {raised}\n    ["
    )
    registry = user_plugins({"corpora/greetings.py": source})

    with pytest.raises(expected) as caught:
        registry.build("corpora", Choice("greetings"))

    assert str(caught.value) == message


def test_an_annotation_that_means_nothing_is_the_plugins_failure(user_plugins):
    """It harms only whoever asks for that plugin."""
    source = GREETINGS.replace("count: int", "count: 'Nothing'")

    with pytest.raises(PluginError, match="greetings: the corpus failed: NameError"):
        user_plugins({"corpora/greetings.py": source}).build("corpora", Choice("greetings"))


# ---- secrets ------------------------------------------------------------------------------------


def test_a_secret_is_taken_from_the_environment(build, monkeypatch):
    """The configuration holds the variable's name; the value does not show itself."""
    monkeypatch.setenv("BOT_TOKEN", "swordfish")

    token = build(size=1, token={"env": "BOT_TOKEN"})["token"]

    assert token.reveal() == "swordfish"
    assert "swordfish" not in f"{token} {token!r}"


def test_a_secret_is_taken_from_a_file(build, tmp_path):
    """Its path is relative to the configuration; white space around the value is not part of it."""
    (tmp_path / "token").write_text("swordfish\n")

    token = build(size=1, token={"file": "token"})["token"]

    assert isinstance(token, Secret)
    assert token.reveal() == "swordfish"
    assert build(size=1, token=None)["token"] is None


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("swordfish", "a secret does not belong in this file: write {env: NAME} or {file: PATH}"),
        ({"env": "BOT_TOKEN"}, "the environment variable BOT_TOKEN is not set or empty"),
        (
            {"env": "A", "file": "b"},
            "a secret does not belong in this file: write {env: NAME} or {file: PATH}",
        ),
        ({"file": "empty"}, "the file empty is not set or empty"),
        ({"file": "nowhere"}, "nowhere: No such file or directory"),
        ({"file": "binary"}, "binary: not UTF-8"),
    ],
)
def test_a_missing_or_open_secret_is_refused_unseen(build, tmp_path, token, message):
    """The error names the variable or the file, never the value."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"swordfish\xff")

    error = error_of(build, size=1, token=token)

    assert error.startswith("config.yaml:14:20: bots.b.filters.2.assembly.token: ")
    assert error.endswith(message)
    assert "swordfish" not in error


def test_the_kinds_are_those_of_the_hooks():
    """Every hook has its kind, with a singular for the messages."""
    assert set(KINDS) == set(loading.HOOKS.values())
