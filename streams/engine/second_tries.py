"""Dead letters that were replayed: read from the topic of settled letters, and folded by the lane that gave up on them.

They do not go back to the topic that they came from: its other readers took the record long ago, and in a compacted
topic an old record would take the place of a newer one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from schemas.codec import Undecodable
from schemas.events.dead_letters import DeadLettered, LetterReplayed
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine.arrivals import decoded
from streams.engine.letters import Fault, Letters, fault_of
from streams.engine.log import Page
from streams.engine.muting import UNREADABLE
from streams.engine.position import Position, SourcePosition
from streams.engine.surroundings import Surroundings
from streams.engine.work import FoldRefused, Work
from streams.view import View

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SecondTries:
    """Letters to be taken again, up to a position; whether there is more behind it."""

    letters: list[DeadLettered]
    position: SourcePosition
    has_more: bool


class Settled:
    """The topic of settled letters, as one lane reads it."""

    def __init__(self, around: Surroundings, lane: int) -> None:
        self._around = around
        self._lane = lane
        self._topic_id = ""

    def since(self, standing: Position) -> SecondTries | None:
        """What was replayed to this lane since it stood there, some of it; None where nothing was settled at all."""
        name = SETTLED_LETTERS.name
        low, high = self._around.log.bounds(name, self._lane)
        start = self._start(standing.settled, low)
        if start >= high:
            return None
        for page in self._around.log.read(name, self._lane, start, high):
            if page.records:
                break
        letters = list(self._addressed(page, standing.is_heir))
        return SecondTries(letters, SourcePosition(self._topic_id, page.reached), page.reached < high)

    def _start(self, known: SourcePosition | None, low: int) -> int:
        name = SETTLED_LETTERS.name
        self._topic_id = self._topic_id or self._around.log.topic_ids([name])[name]
        if known is None:
            return low
        if known.topic_id == self._topic_id and known.next_offset >= low:
            return known.next_offset
        log.error("replayed_letters_missed", lane=self._lane, stood_at=known.next_offset, begins_at=low)
        return low

    def _addressed(self, page: Page, is_heir: bool) -> Iterator[DeadLettered]:
        decoders = self._around.decoders
        for _, value in page.records:
            try:
                settled = decoders[SETTLED_LETTERS.name](value or b"")
                if not isinstance(settled, LetterReplayed):
                    continue
                letter = decoders[DEAD_LETTERS.name](settled.letter)
            except Undecodable as error:  # no letter about a letter: it would come back for ever
                log.warning("settled_letter_unreadable", lane=self._lane, reason=error.reason)
                continue
            if _is_for(self._around.view, letter, is_heir):
                yield letter


def fold_again(
    around: Surroundings, work: Work, letters: Letters, letter: DeadLettered
) -> DeadLettered | None:
    """After this the letter's record or alarm is folded; else what is answered is the letter of the next attempt."""
    try:
        if letter.alarm_at is not None:
            _ring_again(work, letter.key or b"", letter.alarm_at)
            return None
        return _fold_record(around, work, letters, letter)
    except FoldRefused as refused:
        if letter.alarm_at is not None:
            return letters.again(letter, letter.stage, Fault.ALARM_RAISED, fault_of(refused)[1])
        return letters.again(letter, "fold", *fault_of(refused))


@dataclass(slots=True)
class _Record:
    """A letter's record as it arrived."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


def _fold_record(
    around: Surroundings, work: Work, letters: Letters, letter: DeadLettered
) -> DeadLettered | None:
    topic = letter.source_topic
    if topic not in {source.name for source in around.view.sources}:
        return letters.again(letter, "decode", Fault.NO_SOURCE, "the view does not read this topic any more")
    decode = around.decoders[topic]
    ((_, event),) = decoded(decode, letters, topic, [_Record(letter.offset, letter.key, letter.value)])
    if isinstance(event, DeadLettered):
        return letters.again(letter, event.stage, event.reason, event.detail, event.schema_id)
    work.fold(letter.key or b"", event, letter.value or b"", decode)
    return None


def _ring_again(work: Work, key: bytes, at: int) -> None:
    if not work.ring_again(key, at):
        work.skipped["alarm_superseded"] += 1


def _is_for(view: View, letter: DeadLettered, is_heir: bool) -> bool:
    """A version that followed another one in silence wrote no letter for what neither could read."""
    if letter.service == view.group:
        return True
    older = {f"vaart.{view.name}.v{version}" for version in range(1, view.version)}
    return is_heir and letter.stage == UNREADABLE and letter.service in older
