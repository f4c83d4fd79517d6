"""A recipe, an experiment as YAML -> typed settings at one scale; a mistake is an error with its place.

What `defaults` says holds for every model, a model's own settings come over it, and what the scale says over
both. It does not know what the steps do, nor what they measure.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PrivateAttr

from bot.config.loading import checked, refuse, shipped, told_where
from bot.config.places import alternatives
from bot.config.reader import Route, Source, read
from bot.config.settings import Model
from bot.config.strict import Settings
from bot.config.values import Choice, Name, Plugins
from bot.errors import ConfigError

Scale = Literal["smoke", "document"]
SCALES: tuple[Scale, ...] = get_args(Scale)
CALLED = "name"  # the option by which a step is told from another of its kind
DEEP = "training"  # the group of a model's settings that is merged setting by setting


class DataFile(Settings):
    """A file or folder that a recipe reads."""

    what: str
    """What is in it."""
    source: str
    """Where it comes from."""
    credit: str = ""
    """Whom the report thanks for it."""
    package: str = ""
    """The Python package that brings it, where it is not among the data; the name then is a path within."""


class Row(Settings):
    """One thing that the document reports, and the measured figure that stands beside it."""

    id: str
    """How the row is cited."""
    what: str
    """What was done or measured."""
    published: str
    """What the document says of it."""
    ours: str = ""
    """The measured figure, as STEP.NAME; several with commas between them."""
    verdict: str = ""
    """What to say of the two: a text, or a measured one as STEP.NAME."""
    value: float | str | None = None
    """The published figure as a number or a text; then the verdict is worked out."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far from it still counts as the same."""
    document_scale: bool = False
    """Whether a comparison at a smaller scale would say nothing."""
    note: str = ""
    """What else must be known."""


class Differences(Settings):
    """What is otherwise at one scale."""

    defaults: dict[str, Any] = Field(default_factory=dict)
    """Of every model."""
    models: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Of single models."""
    steps: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of steps, by the names of these."""


class Told(Settings):
    """What is the same at every scale."""

    title: str
    """What the report is called."""
    document: str
    """The document whose experiments these are: author, title, place, year."""
    warning: str = ""
    """What readers of the report should be warned of."""
    data: dict[str, DataFile] = Field(default_factory=dict)
    """The files and folders it reads, by name."""
    assumed: tuple[str, ...] = ()
    """Settings that the document does not tell, and what was taken instead."""
    steps: Plugins
    """What is done, in this order."""
    published: tuple[Row, ...] = ()
    """What the document reports, beside what these steps measure."""


class Written(Told):
    """A recipe as its file says it."""

    defaults: dict[str, Any] = Field(default_factory=dict)
    """Settings of every model."""
    models: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Models by name, with what is their own."""
    scales: dict[Scale, Differences] = Field(default_factory=dict)
    """What is otherwise at each: smoke takes two minutes and shows that all works, document is its own."""


class Recipe(Told):
    """A recipe at one scale."""

    models: dict[Name, Model] = Field(default_factory=dict)
    """Models by name, as they are trained."""

    _file: Path = PrivateAttr(default=Path("recipe.yaml"))
    _scale: Scale = PrivateAttr(default="document")

    @property
    def file(self) -> Path:
        """The file it was read from."""
        return self._file

    @property
    def scale(self) -> Scale:
        return self._scale

    @property
    def id(self) -> str:
        """What it is called: its file's name."""
        return self.file.stem


def load_recipe(path: Path, scale: Scale) -> Recipe:
    """The experiment at this scale. ConfigError has a line, with its place, for everything that is wrong."""
    if not path.is_file():
        msg = f"{path}: there is no such recipe{alternatives(path.stem, (one.stem for one in recipes()))}"
        raise ConfigError(msg)
    source = read(path)
    written = checked(source, Written)
    refuse(source, _unknown(written))
    merged = _merged(source, written, scale)
    recipe = told_where(checked(merged, Recipe), merged)
    refuse(merged, _contradictions(recipe))
    recipe._file, recipe._scale = path, scale
    return recipe


def recipes(folder: Path | None = None) -> list[Path]:
    """The recipes in a folder, the program's own if None: YAML files that say what is done."""
    files = sorted((folder or shipped() / "recipes").glob("*.yaml"))
    return [file for file in files if "steps" in (read(file).data or {})]


def find_recipe(name: str) -> Path:
    """A shipped recipe by its name, in any case, or a file of one's own."""
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name)
    own = {path.stem.casefold(): path for path in recipes()}
    return own.get(name.casefold(), Path(name))


def step_name(step: Choice) -> str:
    """What a step's section and figures are called: its option `name`, or what it does."""
    return str(step.options.get(CALLED, step.name))


def _unknown(written: Written) -> Iterator[tuple[Route, str]]:
    """What a scale changes, and is not there."""
    steps = [step_name(step) for step in written.steps]
    for scale, differences in written.scales.items():
        for name in differences.models.keys() - written.models.keys():
            where = ("scales", scale, "models", name)
            yield where, f"there is no model {name!r}{alternatives(name, written.models)}"
        for name in differences.steps.keys() - set(steps):
            yield ("scales", scale, "steps", name), f"there is no step {name!r}{alternatives(name, steps)}"


def _contradictions(recipe: Recipe) -> Iterator[tuple[Route, str]]:
    steps = [step_name(step) for step in recipe.steps]
    for at, name in enumerate(steps):
        if name in steps[:at]:
            yield ("steps", at), f"a second step is called {name!r}: give one of them another `name`"
    for at, row in enumerate(recipe.published):
        for figure in quoted(row.ours):
            if figure.partition(".")[0] not in steps:
                yield ("published", at, "ours"), f"no step is called {figure!r}{alternatives(figure, steps)}"


def quoted(figures: str) -> list[str]:
    """The names of figures, which a row lists with commas between them."""
    return [name.strip() for name in figures.split(",") if name.strip()]


class _Merge:
    """Data put together from parts of a file; each knows the place that it came from."""

    def __init__(self, source: Source):
        self._source, self.data, self.marks = source, dict[str, Any](), dict[Route, tuple[int, int]]()

    def put(self, target: Route, origin: Route, value: Any) -> None:
        """Set what stands at `origin` of the file at `target`, over whatever is there."""
        group: Any = self.data
        for step in target[:-1]:
            group = group[int(step)] if isinstance(group, list) else group.setdefault(step, {})
        group[target[-1]] = deepcopy(value)
        size = len(target)
        self.marks = {route: mark for route, mark in self.marks.items() if route[:size] != target}
        for route, mark in self._source.marks.items():
            if route[: len(origin)] == origin:
                self.marks[target + route[len(origin) :]] = mark

    def model(self, name: str, origin: Route, settings: dict[str, Any]) -> None:
        """Settings of a model over those it has; `training` one by one."""
        for key, value in settings.items():
            there = self.data["models"][name].get(key, {})
            if key == DEEP and isinstance(value, dict) and isinstance(there, dict):
                for setting, single in value.items():
                    self.put(("models", name, key, setting), (*origin, key, setting), single)
            else:
                self.put(("models", name, key), (*origin, key), value)


def _merged(source: Source, written: Written, scale: Scale) -> Source:
    merge, differences = _Merge(source), written.scales.get(scale, Differences())
    for key in Told.model_fields.keys() & source.data.keys():
        merge.put((key,), (key,), source.data[key])
    for name, own in written.models.items():
        merge.put(("models", name), ("models", name), {})
        merge.model(name, ("defaults",), written.defaults)
        merge.model(name, ("models", name), own)
        merge.model(name, ("scales", scale, "defaults"), differences.defaults)
        merge.model(name, ("scales", scale, "models", name), differences.models.get(name, {}))
    for at, step in enumerate(written.steps):
        for option, value in differences.steps.get(step_name(step), {}).items():
            origin = ("scales", scale, "steps", step_name(step), option)
            if isinstance(source.data["steps"][at], str):
                merge.put(("steps", at), ("steps", at), {step.name: {}})
            elif merge.data["steps"][at][step.name] is None:
                merge.put(("steps", at, step.name), ("steps", at, step.name), {})
            merge.put(("steps", at, step.name, option), origin, value)
    return Source(source.file, merge.data, merge.marks)
