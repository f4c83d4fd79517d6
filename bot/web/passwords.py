"""The file of passwords: one line a person, a name and the argon2id hash of a password.

It is made by `bot web --set-password`; the passwords themselves are nowhere.
"""

import os
import re
from functools import cache
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.errors import BotError

SHORTEST = 10
LONGEST = 1000
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
HASHER = PasswordHasher()  # argon2id, by RFC 9106's recommendation for little memory


class Passwords:
    """One check at a time: each takes memory and a core for a moment."""

    def __init__(self, file: Path):
        self._file, self._lock = file, Lock()

    def are_set(self) -> bool:
        return bool(self._read())

    def fit(self, name: str, password: str) -> bool:
        stored = self._read().get(name)
        with self._lock:
            try:
                HASHER.verify(stored or _nobodys(), password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def set(self, name: str, password: str) -> None:
        """Raises BotError for a name or a password that will not do."""
        if not NAME.fullmatch(name):
            msg = f"{name!r} is no name: up to 64 of letters, digits, '.', '_' and '-'"
            raise BotError(msg)
        if not SHORTEST <= len(password) <= LONGEST:
            msg = f"a password has {SHORTEST} characters or more: take a few words"
            raise BotError(msg)
        lines = self._read() | {name: HASHER.hash(password)}
        self._write("".join(f"{name} {hash}\n" for name, hash in lines.items()))

    def _read(self) -> dict[str, str]:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{self._file}: it cannot be read; make it anew with: bot web --set-password"
            raise BotError(msg) from error
        return {name: hash for name, _, hash in (line.partition(" ") for line in lines) if hash}

    def _write(self, text: str) -> None:
        new = self._file.with_name(f".{self._file.name}.new")
        try:
            new.unlink(missing_ok=True)
            with open(
                os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._file)
        except OSError as error:
            msg = f"{self._file}: {error.strerror}"
            raise BotError(msg) from error


@cache
def _nobodys() -> str:
    """To take as long for a name that is not there."""
    return HASHER.hash("a password of nobody's")
