"""What somebody needs who asks afterwards what went wrong, in one zip: no secret, and no text unless asked.

Whatever cannot be had any more is told in its place, for the bundle is wanted when things are broken.
"""

import json
import os
import platform
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from bot import __version__
from bot.disguises import disguises
from bot.doctor import examine
from bot.health import Examiner
from bot.health.patience import Patience
from bot.house import House
from bot.logs import CRASH, FILE, redacted_traceback
from bot.pulse import NAME
from bot.records import Delivery, Secret
from bot.store.overview import Change

STEPS = 5000  # of deliveries, the newest
MASKED = 20_000  # texts that are taken out, the newest
SHORTEST = 4  # characters of such a text: shorter ones stand in every word
MASK = "(text)"
LONGEST = 120.0  # seconds that one part may take
PLAIN = re.compile(r"(?im)^(\s*[-{ ]*[\w-]*(?:secret|token|password|key)[\w-]*\s*:\s*)(?![{\s])(\S.*)$")


def gather(house: House, path: Path, texts: bool) -> None:
    """Write the bundle; nobody but its owner can read it. texts: leave in what the bots have written."""
    parts = dict(_written(house))
    mask = _masking(house, texts)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, part in parts.items():
            bundle.writestr(name, mask(Secret.redact(part)))


def _written(house: House) -> Iterator[tuple[str, str]]:
    """Each part under its name. The doctor comes first: then every secret of the configuration is known."""
    yield "doctor.txt", _made(lambda: _doctor(house))
    yield "status.json", _made(lambda: _json(asdict(Examiner(house).examine()) | {"courses": None}))
    yield "versions.txt", _made(_versions)
    yield "config.yaml", _made(lambda: PLAIN.sub(r"\1***", house.config.file.read_text("utf-8")))
    yield "plugins.json", _made(lambda: _json([asdict(report) for report in house.registry.reports()]))
    yield "database.json", _made(lambda: _json({"name": house.database.name, **house.overview.sizes()}))
    yield "steps.jsonl", _made(lambda: _lines(map(asdict, _steps(house))))
    yield "deliveries.jsonl", _made(lambda: _lines(map(asdict, _deliveries(house))))
    for name in (FILE, f"{FILE}.1", CRASH, NAME):
        place = house.config.run_folder / name
        if place.exists():
            yield name, _made(partial(place.read_text, "utf-8", "replace"))


def _made(make: Callable[[], str]) -> str:
    try:
        return Patience(LONGEST).ask(make)
    except Exception as error:  # the rest is wanted all the more
        return f"this could not be had: {redacted_traceback(error)}"


def _doctor(house: House) -> str:
    findings = examine(house.config.file)
    return "\n".join(f"{'ok ' if it.ok else 'BAD'}  {it.what}: {it.text}" for it in findings)


def _versions() -> str:
    packages = sorted({f"{it.name} {it.version}" for it in distributions()}, key=str.lower)
    head = [f"wormhorn {__version__}", f"Python {platform.python_version()}", platform.platform()]
    return "\n".join([*head, "", *packages])


def _steps(house: House) -> list[Change]:
    after = max(0, house.overview.newest() - STEPS)
    return list(house.overview.changes(after, STEPS))


def _deliveries(house: House) -> Iterator[Delivery]:
    """Those of the newest steps, and all that are not over."""
    ids = {step.delivery for step in _steps(house)[-500:]}
    for state in ("claimed", "sending", "uncertain"):
        ids |= {delivery.id for delivery in house.deliveries.list(state=state)}
    return map(house.deliveries.get, sorted(ids))


def _masking(house: House, texts: bool) -> Callable[[str], str]:
    """Takes out what the bots have written, wherever it is quoted."""
    if texts:
        return lambda part: part
    try:
        known = Patience(LONGEST).ask(lambda: house.overview.newest_texts(MASKED))
    except Exception:  # then no part of the bundle comes from the database; the log repeats no text
        return lambda part: part
    forms = {form for text in known for form in list(disguises(text))[:3] if len(form) >= SHORTEST}
    if not forms:
        return lambda part: part
    pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
    return lambda part: pattern.sub(MASK, part)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _lines(values: Iterator[dict[str, Any]]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False, default=str) + "\n" for value in values)
