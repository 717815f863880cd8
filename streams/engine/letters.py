"""Dead letters: what could not be read or folded, with the original bytes and a reason from a closed list.

Why bytes are no record is schemas.codec.Reason; why a record could not be folded is Fault. The detail says where our
code gave up. Nothing of a record's content is in it, nor in the log.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Protocol

import msgspec
import structlog

from schemas.events.dead_letters import DeadLettered, RecordHeader
from schemas.topic import MAX_RECORD_BYTES
from streams.engine.surroundings import Surroundings
from streams.engine.work import Decode, FoldRefused, TooLarge
from vaart import __version__, metrics

DETAIL_CHARACTERS_MAX = 1_024
ENGINE = "streams.engine."

log = structlog.get_logger()


class Fault(StrEnum):
    """Why a record that can be read was not folded."""

    FOLD_RAISED = "fold_raised"
    ALARM_RAISED = "alarm_raised"
    TOO_LARGE = "too_large"
    UNWRITABLE = "unwritable"
    NO_SOURCE = "no_source"


class Arrived(Protocol):
    """A record as a consumer hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Names and values, in their order; nearly always none."""


class Letters:
    """Makes the dead letters of one lane."""

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
        """The letter for a record of `topic`. The record's headers are looked at here only."""
        headers = [RecordHeader(name, value) for name, value in record.headers]
        letter = self._letter(stage, reason, detail, topic, record.offset, record.key, record.value)
        return _bounded(msgspec.structs.replace(letter, headers=headers, schema_id=schema_id))

    def of_fold(self, topic: str, record: Arrived, refused: FoldRefused) -> DeadLettered:
        """The letter for a record that a fold refused."""
        return self.of_record(topic, record, "fold", *fault_of(refused))

    def of_held(self, topic: str, key: bytes, value: bytes | None, refused: FoldRefused) -> DeadLettered:
        """The letter for an event that waited in the state: its offset is not known any more."""
        return _bounded(self._letter("fold", *fault_of(refused), topic, -1, key, value))

    def of_alarm(self, key: bytes, refused: FoldRefused) -> DeadLettered:
        """The letter for an alarm of `key`."""
        _, detail = fault_of(refused)
        letter = self._letter("alarm", Fault.ALARM_RAISED, detail, "", -1, key, None)
        return msgspec.structs.replace(letter, alarm_at=refused.alarm_at)

    def of_unwritten(
        self, error: str, decode: Decode | None, key: bytes, value: bytes | None
    ) -> DeadLettered:
        """The letter for an event whose key's state cannot be written because of an `error` of that name.

        Its topic is the one that `decode` reads; there is none where it was an alarm.
        """
        topic = next((topic for topic, each in self._around.decoders.items() if each is decode), "")
        reason = Fault.TOO_LARGE if error == TooLarge.__name__ else Fault.UNWRITABLE
        return _bounded(self._letter("encode", reason, error, topic, -1, key, value))

    def again(
        self, letter: DeadLettered, stage: str, reason: str, detail: str, schema_id: int | None = None
    ) -> DeadLettered:
        """The letter for a letter that was replayed and could not be taken further once more."""
        return msgspec.structs.replace(
            letter,
            stage=stage,
            reason=reason,
            detail=detail[:DETAIL_CHARACTERS_MAX],
            schema_id=schema_id or letter.schema_id,
            attempt=letter.attempt + 1,
            service=self._around.view.group,
            service_version=__version__,
        )

    def _letter(
        self,
        stage: str,
        reason: str,
        detail: str,
        topic: str,
        offset: int,
        key: bytes | None,
        value: bytes | None,
    ) -> DeadLettered:
        return DeadLettered(
            service=self._around.view.group,
            stage=stage,
            reason=reason,
            detail=detail[:DETAIL_CHARACTERS_MAX],
            source_topic=topic,
            partition=self._lane,
            offset=offset,
            key=key,
            value=value,
            first_seen_at=self._around.clock(),
            service_version=__version__,
        )


def tell(letters: Iterable[DeadLettered]) -> None:
    """After this the letters, which are committed, are in the log and in the metrics."""
    for letter in letters:
        metrics.DEAD_LETTERS.labels(letter.source_topic, letter.reason).inc()
        log.warning(
            "dead_letter",
            stage=letter.stage,
            reason=letter.reason,
            detail=letter.detail,
            topic=letter.source_topic,
            partition=letter.partition,
            offset=letter.offset,
            attempt=letter.attempt,
        )


def fault_of(refused: FoldRefused) -> tuple[Fault, str]:
    """Reason and detail: the error's class, and where our code raised it."""
    error = refused.__cause__
    if error is None:
        return Fault.FOLD_RAISED, refused.reason
    reason = Fault.TOO_LARGE if isinstance(error, TooLarge) else Fault.FOLD_RAISED
    return reason, f"{refused.reason} at {_place(error.__traceback__)}"


def _place(step: TracebackType | None) -> str:
    """Module and line of the innermost frame, of the view if it was there at all."""
    found = ""
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__", ""))
        if not found or not module.startswith(ENGINE):
            found = f"{module}:{step.tb_lineno}"
        step = step.tb_next
    return found


def _bounded(letter: DeadLettered) -> DeadLettered:
    """The letter, without its bytes where it would not fit on its topic: a batch may unpack to more than it was."""
    size = len(letter.key or b"") + len(letter.value or b"")
    size += sum(len(header.name.encode()) + len(header.value or b"") for header in letter.headers)
    if size <= MAX_RECORD_BYTES:
        return letter
    return msgspec.structs.replace(letter, key=None, value=None, headers=[], left_out_bytes=size)
