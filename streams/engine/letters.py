"""Dead letters: what could not be read or folded, with the original bytes and a reason from a closed list."""

from typing import Protocol

import structlog

from schemas.events.dead_letters import DeadLettered
from streams.engine.surroundings import Surroundings
from vaart import __version__, metrics

log = structlog.get_logger()


class Arrived(Protocol):
    """A record as a consumer hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Letters:
    """Writes the dead letters of one lane. Nothing of a record's content reaches the log."""

    def __init__(self, around: Surroundings, lane: int) -> None:
        self._around = around
        self._lane = lane

    def of_record(
        self,
        topic: str,
        record: Arrived,
        stage: str,
        reason: str,
        detail: str = "",
        schema_id: int | None = None,
    ) -> DeadLettered:
        """The letter for a record of `topic`."""
        return self._write(stage, reason, detail, topic, record.offset, record.key, record.value, schema_id)

    def of_key(self, stage: str, reason: str, topic: str, key: bytes, value: bytes | None) -> DeadLettered:
        """The letter for an event that waited in the state, or for an alarm: there is no offset to name."""
        return self._write(stage, reason, "", topic, -1, key, value, None)

    def _write(
        self,
        stage: str,
        reason: str,
        detail: str,
        topic: str,
        offset: int,
        key: bytes | None,
        value: bytes | None,
        schema_id: int | None,
    ) -> DeadLettered:
        log.warning(
            "dead_letter", stage=stage, reason=reason, topic=topic, partition=self._lane, offset=offset
        )
        metrics.DEAD_LETTERS.labels(topic, reason).inc()
        return DeadLettered(
            service=self._around.view.group,
            stage=stage,
            reason=reason,
            detail=detail,
            source_topic=topic,
            partition=self._lane,
            offset=offset,
            key=key,
            value=value,
            schema_id=schema_id,
            attempt=1,
            first_seen_at=self._around.clock(),
            service_version=__version__,
        )
