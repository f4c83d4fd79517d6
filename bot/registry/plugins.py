"""One plugin at a time: where plugins are found, how one is loaded, what it gives or why it does not.

Every plugin gets a pluggy manager of its own, so one that fails takes no other with it. A file is compiled
from its source under a name of its own: no sys.path, no bytecode left in the user's folder. Plugins are code,
so the user's are only loaded where no other account may write (mode o+w is refused; g+w is not, because
systems that give each user a group of their own set it on every file).
"""

import contextlib
import os
import stat
import sys
import tokenize
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pluggy

from bot import hookspecs
from bot.config import shipped
from bot.errors import PluginError
from bot.records import PluginReport

Factory = Callable[..., Any]
MODULE = "bot_plugin_"  # how the names of their modules begin
UNREAD = {tokenize.COMMENT, tokenize.NL}  # tokens that Python skips
HOOKS = {hook: hook.removeprefix("register_") for hook in vars(hookspecs) if hook.startswith("register_")}


@dataclass
class Plugin:
    """A plugin and, once loaded, its factories by kind and name, or the reason why it is set aside."""

    name: str
    place: str  # file or entry point
    fetch: Callable[[], Any]  # the module, or whatever carries the hooks
    factories: dict[str, dict[str, Factory]] = field(default_factory=dict)
    failure: str = ""

    def load(self, kind: str) -> None:
        """Fill in `factories` or `failure`; a plugin of a kind's folder may give that kind alone."""
        try:
            with contextlib.redirect_stdout(sys.stderr):  # stdout is for the command's own output
                given = _given(self.fetch())
            if kind and (others := set(given) - {kind}):
                msg = f"it stands in {kind}/ but registers {', '.join(sorted(others))}"
                raise PluginError(msg)
            self.factories = given
        except (Exception, SystemExit) as error:
            self.failure = _complaint(error, self.place)

    def report(self) -> PluginReport:
        registered = {kind: tuple(sorted(names)) for kind, names in self.factories.items()}
        return PluginReport(self.name, self.place, registered, self.failure)


def files(folder: Path, guarded: Path | None = None) -> Iterator[Plugin]:
    """The plugins in a folder, by name. `guarded`: the user's plugins folder, that no other may write."""
    try:
        if not folder.is_dir():
            return
        if guarded:
            _refuse_writers(guarded, folder)
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".py" and path.name[0] not in "_.")
    except (OSError, PluginError) as error:
        yield Plugin(folder.name, str(folder), partial(_fail, error))
        return
    for path in paths:
        yield Plugin(path.stem, str(path), partial(_run, path, guarded is not None))


def entry_points() -> Iterator[Plugin]:
    """The plugins that installed packages name in the entry-point group `bot`."""
    for point in sorted(metadata.entry_points(group="bot"), key=lambda point: (point.name, point.value)):
        yield Plugin(point.name, f"entry point {point.name} = {point.value}", point.load)


def digest(path: Path) -> str:
    """Of a plugin's code, whatever its comments and blank lines are."""
    with path.open("rb") as file:
        tokens = [token.string for token in tokenize.tokenize(file.readline) if token.type not in UNREAD]
    return sha256(" ".join(tokens).encode()).hexdigest()


def blame(error: BaseException) -> str:
    """The last line of a user's plugin on the way to an error and what failed there; "" if there is none."""
    own = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__) if _is_own(frame)]
    if not own:
        return ""
    code, line = own[-1]
    text = (str(error).splitlines() or [""])[0]
    return f"{code.co_filename}:{line}: {code.co_qualname} failed: {type(error).__name__}: {text:.200}"


def _is_own(frame: FrameType) -> bool:
    inside = str(frame.f_globals.get("__name__", "")).startswith(MODULE)
    return inside and not Path(frame.f_code.co_filename).is_relative_to(shipped() / "plugins")


def _given(plugin: Any) -> dict[str, dict[str, Factory]]:
    """What a plugin's hooks return, by kind."""
    manager = pluggy.PluginManager("bot")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    results = {hook: getattr(manager.hook, hook)() for hook in HOOKS}
    given = {HOOKS[hook]: _factories(hook, result[0]) for hook, result in results.items() if result}
    if not given:
        msg = "it registers nothing: decorate a function register_... with @bot.hookimpl"
        raise PluginError(msg)
    return given


def _factories(hook: str, result: Any) -> dict[str, Factory]:
    if not isinstance(result, dict) or not all(
        isinstance(name, str) and callable(factory) for name, factory in result.items()
    ):
        msg = f"{hook} must return {{name: factory}}, not {result!r}"
        raise PluginError(msg)
    return result


def _run(path: Path, guarded: bool) -> ModuleType:
    """The module of a file, run from its source."""
    with path.open("rb") as file:
        if guarded:
            _refuse_writers(file.fileno())
        source = file.read()
    module = ModuleType(f"{MODULE}{path.stem}_{sha256(bytes(path.resolve())).hexdigest()[:8]}")
    module.__file__ = str(path)
    code = compile(source, str(path), "exec", dont_inherit=True)
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up
    try:
        exec(code, vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _refuse_writers(*places: Path | int) -> None:
    if os.name != "posix":
        return
    for place in places:
        mode = os.stat(place).st_mode
        if mode & stat.S_IWOTH:
            msg = f"others may write it (mode {mode & 0o777:o}), and plugins are code: chmod o-w it"
            raise PluginError(msg)


def _fail(error: Exception) -> None:
    raise error


def _complaint(error: BaseException, place: str) -> str:
    """The failure in one line, with the line of the plugin's file that it came from."""
    if isinstance(error, PluginError):
        return str(error)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == place]
    if isinstance(error, SyntaxError) and error.filename == place:
        lines, text = [error.lineno], error.msg
    else:
        text = " ".join(str(error).split())
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{type(error).__name__}: {text}"
