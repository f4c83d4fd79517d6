"""How rows become records, and what a person is told of a draft.

It only reads, inside the transaction it is given.
"""

from datetime import datetime
from typing import Any, get_args

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, bindparam, case, func, select

from bot.errors import NotFound
from bot.records import (
    Candidate,
    Delivery,
    DeliveryState,
    Draft,
    Evidence,
    Kind,
    Match,
    Sampling,
    Span,
    Status,
    Verdict,
)
from bot.store.parked import faults, read_all, read_one
from bot.store.payload import read_media
from bot.store.tables import Instant, attempts, deliveries, drafts, revisions

_SAMPLING = TypeAdapter(Sampling)
_first = revisions.alias("first")
_tries = attempts.c.delivery == deliveries.c.id
_attempts = select(func.count()).where(_tries).correlate(deliveries).scalar_subquery()
_first_tried_at = (
    select(func.min(attempts.c.started_at)).where(_tries).correlate(deliveries).scalar_subquery()
)


def _any(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return func.max(case((condition, 1), else_=0)) == 1


def _progress() -> ScalarSelect[str]:
    """How far an approval has come, from the deliveries of its attempt group, the worst news first.

    One that was ever claimed is posting until all are done: from then on nobody can take it back.
    """
    state, group = deliveries.c.state, drafts.c.attempt_group
    planned = state == "planned"
    return (
        select(
            case(
                (_any(state == "uncertain"), "uncertain"),
                (_any(state.in_(["claimed", "sending"])), "posting"),
                (_any(planned) & (func.max(deliveries.c.fence) > 0), "posting"),
                (_any(planned & deliveries.c.due_at.is_not(None)), "scheduled"),
                (_any(planned), "approved"),
                (_any(state == "refused"), "refused"),
                (_any(state == "sent"), "posted"),
                else_="refused",
            )
        )
        .where(deliveries.c.draft == drafts.c.id, deliveries.c.attempt_group == group)
        .correlate(drafts)
        .scalar_subquery()
    )


NOW = bindparam("now", type_=Instant())  # the transaction's moment, see `moment`
asleep = (drafts.c.state == "pending") & (drafts.c.snoozed_until > NOW)
status = case((drafts.c.state == "approved", _progress()), (asleep, "snoozed"), else_=drafts.c.state).label(
    "status"
)


def moment(connection: Connection) -> dict[str, datetime]:
    """What a statement with a status in it is executed with."""
    return {"now": connection.get_execution_options()["now"]}


def draft_rows(revision: ColumnElement[bool] = revisions.c.number == drafts.c.revision) -> Select[Any]:
    """Every draft with its status at its current revision, or at others; narrow it, then `read_drafts`."""
    current = (revisions.c.draft == drafts.c.id) & revision
    first = (_first.c.draft == drafts.c.id) & (_first.c.number == 1)
    return (
        select(
            drafts,
            status,
            revisions.c.number,
            revisions.c.text,
            revisions.c.sha256,
            revisions.c.verdicts,
            revisions.c.evidence,
            _first.c.text.label("sampled_text"),
        )
        .join(revisions, current)
        .join(_first, first)
        .order_by(drafts.c.id)
    )


def read_drafts(connection: Connection, rows: Select[Any]) -> list[Draft]:
    """Without those that cannot be read."""
    return read_all(connection, rows, drafts.c.id, as_draft, moment(connection))


def read_draft(connection: Connection, id: int) -> Draft:
    """Raises NotFound, Unreadable."""
    found = read_one(connection, draft_rows(), drafts.c.id, id, as_draft, moment(connection))
    if found is None:
        msg = f"no draft has the id {id}"
        raise NotFound(msg)
    return found


def delivery_rows() -> Select[Any]:
    """Every delivery, oldest first; narrow it, then `read_deliveries`."""
    return (
        select(
            deliveries,
            drafts.c.bot,
            _attempts.label("attempts"),
            _first_tried_at.label("first_tried_at"),
        )
        .join(drafts, drafts.c.id == deliveries.c.draft)
        .order_by(deliveries.c.id)
    )


def read_deliveries(connection: Connection, rows: Select[Any]) -> list[Delivery]:
    """Without those that cannot be read."""
    return read_all(connection, rows, deliveries.c.id, _delivery)


def read_delivery(connection: Connection, id: int) -> Delivery:
    """Raises NotFound, Unreadable."""
    found = read_one(connection, delivery_rows(), deliveries.c.id, id, _delivery)
    if found is None:
        msg = f"no delivery has the id {id}"
        raise NotFound(msg)
    return found


def unreadable(connection: Connection) -> list[str]:
    """Of each draft and delivery that cannot be read, which one and why. It reads them all."""
    return [
        *faults(connection, draft_rows(), drafts.c.id, as_draft, moment(connection)),
        *faults(connection, delivery_rows(), deliveries.c.id, _delivery),
    ]


def as_draft(row: Row[Any]) -> Draft:
    _check("state", row.status, Status)
    candidate = Candidate(
        text=row.sampled_text,
        raw_text=row.raw_text,
        checkpoint=row.checkpoint,
        sampling=read_sampling(row.sampling),
        seed=row.seed,
        index=row._mapping["index"],  # `row.index` is a method
        temperature=row.temperature,
        nll=row.nll,
        surprise=row.surprise,
        build=row.build,
        device=row.device,
    )
    return Draft(
        id=row.id,
        bot=row.bot,
        text=row.text,
        status=row.status,
        revision=row.number,
        sha256=row.sha256,
        candidate=candidate,
        verdicts=tuple(Verdict(**verdict) for verdict in row.verdicts),
        created_at=row.created_at,
        evidence=row.evidence and _evidence(row.evidence),
        score=None if row.score < 0 else row.score,
        starred=row.starred,
        note=row.note,
        snoozed_until=row.snoozed_until if row.status == "snoozed" else None,
        recycled_from=row.recycled_from,
    )


def read_sampling(stored: dict[str, Any]) -> Sampling:
    """Older ones lack what came later: its defaults."""
    return _SAMPLING.validate_python(stored)


def _evidence(stored: dict[str, Any]) -> Evidence:
    kinds = {"nearest": Match, "copied": Span, "earlier": Match}
    records = {name: kind(**stored[name]) for name, kind in kinds.items() if stored[name] is not None}
    return Evidence(**stored | records)


def _delivery(row: Row[Any]) -> Delivery:
    _check("state", row.state, DeliveryState)
    _check("kind", row.kind, Kind)
    stored = Delivery.__dataclass_fields__.keys() - {"suspect"}
    fields = {name: row._mapping[name] for name in stored}
    return Delivery(**fields | {"media": read_media(row.media)})


def _check(what: str, found: str, known: Any) -> None:
    if found not in get_args(known):
        raise ValueError(f"the {what} {found!r} is none that is known")
