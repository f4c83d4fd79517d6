"""Where the files lie that a recipe reads: in a folder, or by their names below it, or in a package.

No more is guessed.
"""

import importlib.util
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.config import Choice
from bot.config.recipe import DataFile
from bot.errors import CorpusError


def located(files: Mapping[str, DataFile], folder: Path) -> dict[str, Path]:
    """Every file's place. Raises CorpusError with one line for each that is missing or there twice."""
    found: dict[str, Path] = {}
    problems = []
    for name, file in files.items():
        places = [folder / name] if (folder / name).exists() else sorted(_below(folder, Path(name).name))
        places = places or _packaged(file.package, name)
        if len(places) == 1:
            found[name] = places[0].absolute()
        elif places:
            both = " and ".join(str(place.parent) for place in places[:2])
            problems.append(f"{name} is in {both}: say with --data which is meant")
        else:
            problems.append(
                f"{name} is neither in {folder} nor below it: {file.what}, from {file.source}. "
                f"{_either(file.package)} with --data DIR where it is"
            )
    if problems:
        raise CorpusError("\n".join(problems))
    return found


def _either(package: str) -> str:
    return f"Install that package (pip install {package}) or say" if package else "Say"


def placed(choice: Choice, found: Mapping[str, Path]) -> Choice:
    """The same choice with the places of files in its options."""
    return replace(choice, options={name: _placed(value, found) for name, value in choice.options.items()})


def _placed(value: Any, found: Mapping[str, Path]) -> Any:
    match value:
        case str() if value in found:
            return str(found[value])
        case list() | tuple():
            return [_placed(item, found) for item in value]
        case dict():
            return {key: _placed(item, found) for key, item in value.items()}
    return value


def _packaged(package: str, name: str) -> list[Path]:
    """Its place in an installed package, which is looked for and not imported; [] if it is not there."""
    found = importlib.util.find_spec(package) if package else None
    if found is None or found.origin is None:
        return []
    place = Path(found.origin).parent / name
    return [place] if place.exists() else []


def _below(folder: Path, name: str) -> Iterator[Path]:
    """What is called so in any folder below, hidden ones left out."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        if name in folders or name in files:
            yield Path(place) / name
