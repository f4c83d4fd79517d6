"""The stop switch, and accounts that rest: what keeps posts back until it is over or a person lifts it.

It takes effect in the transaction that claims a delivery, and in the one that comes right before the send.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from bot.errors import Conflict
from bot.records import Halt
from bot.store.database import Database
from bot.store.tables import halts

Scope = Literal["all", "bot", "account"]
LONGEST = timedelta(hours=25)  # of a halt that ends by itself; what ends later was begun by a wrong clock


class Switches:
    """stop_file: while there is one, whatever it holds, all bots are stopped."""

    def __init__(self, database: Database, stop_file: Path | None = None):
        self._database, self.stop_file = database, stop_file

    def stop(self, bot: str | None, actor: str, reason: str = "") -> None:
        """Post nothing of a bot, or of all, until it is resumed. Raises Conflict if it is stopped already."""
        scope: Scope = "all" if bot is None else "bot"
        if not self._set(scope, bot or "", actor, reason, None):
            msg = f"{'everything' if bot is None else f'bot {bot}'} is stopped already"
            raise Conflict(msg)

    def rest(self, account: str, actor: str, reason: str, until: datetime | None = None) -> bool:
        """Post nothing to an account until then, or until a person resumes; False if it rests already."""
        return self._set("account", account, actor, reason, until)

    def resume(self, bot: str | None, accounts: Sequence[str], actor: str) -> Sequence[Halt]:
        """Lift what keeps a bot and its accounts from posting; without a bot, whatever there is.

        What was lifted. Raises Conflict if something else stops all bots.
        """
        with self._database.write() as connection:
            found = self.found(connection)
            if by_file := self._by_file():
                msg = f"{by_file[0].actor} stops all bots: remove it"
                raise Conflict(msg)
            if bot is not None and any(halt.scope == "all" for halt in found):
                msg = f"all bots are stopped, {bot} is one of them: bot resume"
                raise Conflict(msg)
            wanted = {("bot", bot), *(("account", account) for account in accounts)}
            lifted = [halt for halt in found if bot is None or (halt.scope, halt.name) in wanted]
            for halt in lifted:
                self._lift(connection, halt.scope, halt.name, actor)
            return lifted

    def in_force(self) -> Sequence[Halt]:
        with self._database.read() as connection:
            return self.found(connection)

    def found(self, connection: Connection) -> list[Halt]:
        """What is in force now."""
        now = self._database.now()
        return [*self._by_file(), *(it for it in _standing(connection) if _lasts(it, now))]

    def history(self) -> Sequence[tuple[Halt, str | None, datetime | None]]:
        """Every halt there was, with who lifted it and when."""
        rows = select(*_COLUMNS, halts.c.lifted_by, halts.c.lifted_at).order_by(halts.c.id)
        with self._database.read() as connection:
            return [(Halt(*row[:6]), row.lifted_by, row.lifted_at) for row in connection.execute(rows)]

    def _by_file(self) -> list[Halt]:
        """A file can be made where the database cannot be written; one that nobody can look for counts."""
        if self.stop_file is None:
            return []
        now = self._database.now()
        try:
            at = datetime.fromtimestamp(self.stop_file.lstat().st_mtime, tz=now.tzinfo)
        except FileNotFoundError:
            return []
        except (OSError, ValueError, OverflowError):
            at = now
        return [Halt("all", "", f"the file {self.stop_file}", "", at)]

    def _set(self, scope: Scope, name: str, actor: str, reason: str, until: datetime | None) -> bool:
        with self._database.write() as connection:
            now = self._database.now()
            before = [it for it in _standing(connection) if (it.scope, it.name) == (scope, name)]
            if any(_lasts(it, now) for it in before):
                return False
            if before:
                self._lift(connection, scope, name, "time")
            values = {"scope": scope, "name": name, "actor": actor, "reason": reason, "at": now}
            connection.execute(insert(halts).values(values | {"until": until}))
            return True

    def _lift(self, connection: Connection, scope: Scope, name: str, actor: str) -> None:
        mine = (halts.c.scope == scope) & (halts.c.name == name) & halts.c.lifted_at.is_(None)
        connection.execute(update(halts).where(mine).values(lifted_by=actor, lifted_at=self._database.now()))


def _standing(connection: Connection) -> list[Halt]:
    """What nobody has lifted; some of it may be over."""
    rows = connection.execute(select(*_COLUMNS).where(halts.c.lifted_at.is_(None)).order_by(halts.c.id))
    return [Halt(**row._mapping) for row in rows]


def _lasts(halt: Halt, now: datetime) -> bool:
    return halt.until is None or now < halt.until <= now + LONGEST


_COLUMNS = [halts.c[name] for name in Halt.__dataclass_fields__]
