"""The numbers of one look at everything, in the text form that Prometheus reads: names and no text."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bot.health.examiner import Health
from bot.posting.course import BOUNDS

Family = GaugeMetricFamily | CounterMetricFamily
Samples = Iterable[tuple[tuple[str, ...], float]]


def metrics(health: Health) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(health))
    return generate_latest(registry).decode()


class _Numbers:
    """All families of one look."""

    def __init__(self, health: Health):
        self._health, self._courses = health, health.courses

    def collect(self) -> Iterator[Metric]:
        yield from self._checks()
        yield from self._process()
        yield from self._posting()
        yield from self._targets()
        yield from self._lateness()

    def _checks(self) -> Iterator[Metric]:
        yield _gauge("ok", "Whether every check is well.", [], [((), self._health.ok)])
        checks = [((check.name,), check.ok) for check in self._health.checks]
        yield _gauge("check_ok", "Whether a check of bot status is well.", ["check"], checks)

    def _process(self) -> Iterator[Metric]:
        if (pulse := self._health.pulse) is None:
            return
        age = (self._health.at - pulse.at).total_seconds()
        yield _gauge("pulse_age_seconds", "Since bot run wrote its pulse.", [], [((), age)])
        jobs = pulse.jobs.items()
        turns = [((name,), job.turns) for name, job in jobs]
        yield _counter("turns", "Turns that a job of bot run has made.", ["job"], turns)
        lasted = [((name,), job.lasted) for name, job in jobs]
        yield _gauge("turn_seconds", "How long a job's last turn took.", ["job"], lasted)
        quiet = [((name,), job.quiet) for name, job in jobs]
        yield _gauge("quiet_seconds", "Since a job's last sign of life.", ["job"], quiet)

    def _posting(self) -> Iterator[Metric]:
        state, now = self._health.state, self._health.at
        where = ["bot", "target", "state"]
        counts = [((it.bot, it.target, it.state), it.count) for it in state.unfinished]
        yield _gauge("deliveries", "Deliveries that are due and not over.", where, counts)
        due = [it for it in state.unfinished if it.state == "planned" and it.oldest]
        ages = [((it.bot, it.target), (now - it.oldest).total_seconds()) for it in due if it.oldest]
        late = [(labels, max(0.0, age)) for labels, age in ages]
        yield _gauge("due_seconds", "Since when the oldest planned one is due.", where[:2], late)
        stock = [((bot,), count) for bot, count in state.stock.items()]
        yield _gauge("approved_drafts", "Approved drafts that wait for a slot.", ["bot"], stock)
        spent = list(state.spent.items())
        what = "What an account has cost within 31 days, or may have."
        yield _gauge("spent_usd", what, ["account"], [((account,), usd) for account, usd in spent])

    def _targets(self) -> Iterator[Metric]:
        courses, where = self._courses, ["bot", "target"]
        yield _counter(
            "delivery_steps",
            "Steps of deliveries, by the state they came to.",
            [*where, "state"],
            courses.steps.items(),
        )
        yield _counter("delivery_failures", "What a target did not take.", where, courses.failures.items())
        row = [(name, course.failures) for name, course in courses.of.items()]
        yield _gauge("failures_in_a_row", "Since the target's last post.", where, row)
        sent = [(name, it.sent_at.timestamp()) for name, it in courses.of.items() if it.sent_at]
        yield _gauge("last_post_timestamp_seconds", "When the target got a post.", where, sent)

    def _lateness(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "wormhorn_lateness_seconds", "From the slot to the post.", labels=["bot"]
        )
        for bot, seconds in self._courses.seconds.items():
            counts = [self._courses.late[bot, bound] for bound in (*BOUNDS, float("inf"))]
            sums = [sum(counts[: place + 1]) for place in range(len(counts))]
            names = [*map(str, map(float, BOUNDS)), "+Inf"]
            family.add_metric([bot], list(zip(names, sums, strict=True)), seconds)
        yield family


def _gauge(name: str, what: str, labels: list[str], samples: Samples) -> Metric:
    return _filled(GaugeMetricFamily(f"wormhorn_{name}", what, labels=labels), samples)


def _counter(name: str, what: str, labels: list[str], samples: Samples) -> Metric:
    return _filled(CounterMetricFamily(f"wormhorn_{name}", what, labels=labels), samples)


def _filled(family: Family, samples: Samples) -> Metric:
    for labels, value in samples:
        family.add_metric(list(labels), float(value))
    return family
