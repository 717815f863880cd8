"""Send the events of tables to Kafka: kind after kind in the tables' order, or as a replay in the order of time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from connectors.files.events import Stream
from connectors.files.outlet import KafkaOutlet, Outlet
from connectors.files.rejects import Reject, Rejected
from schemas.events.dead_letters import DeadLettered
from schemas.meta import Instant
from vaart import __version__, metrics

SERVICE = "files"
STAGE = "map"
REASON = "row_misfit"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of one kind: rows that it took, events that they became."""

    event: str
    table: str
    rows: int
    events: int


def send(streams: Iterable[Stream], outlet: Outlet, limit: int | None = None) -> None:
    """After this every event, at most `limit`, is acknowledged; the opening ones were before any other was sent."""
    left = limit
    for stream in sorted(streams, key=lambda each: not each.is_opening):
        for event in islice(stream, left):
            outlet.publish(event)
        left = None if left is None else left - stream.made
        if stream.is_opening:
            outlet.flush()
    outlet.flush()


def letters(outlet: KafkaOutlet, now: Callable[[], Instant]) -> Rejected:
    """Tells a row that does not fit as a dead letter, with its own values as JSON."""

    def tell(reject: Reject) -> None:
        metrics.DEAD_LETTERS.labels(topic=f"{SERVICE}.{reject.table}", reason=REASON).inc()
        outlet.dead_letter(letter(reject, now()))

    return tell


def letter(reject: Reject, now: Instant) -> DeadLettered:
    """The dead letter of a row."""
    return DeadLettered(
        service=SERVICE,
        stage=STAGE,
        reason=REASON,
        detail=str(reject),
        source_topic=f"{SERVICE}.{reject.table}",
        partition=0,
        offset=reject.row,
        value=reject.as_json(),
        first_seen_at=now,
        service_version=__version__,
    )


def sent(streams: Iterable[Stream]) -> list[Sent]:
    """What became of each kind so far."""
    return [Sent(stream.name, stream.plan.form.table, stream.rows, stream.made) for stream in streams]
