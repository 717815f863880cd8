"""A lane: one partition number of one view, one owner, one transactional producer, handled serially.

The unit of work is a batch. Its outputs, its changelog records, its dead letters and the next offsets of its sources
go into one Kafka transaction; only when that has committed is the store written. All methods block and are called
from one thread at a time.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from streams.engine import pages, records, replay
from streams.engine.arrivals import decoded, merged
from streams.engine.canary import Canary
from streams.engine.draft import Draft
from streams.engine.ledger import Ledger
from streams.engine.letters import Arrived
from streams.engine.muting import Place
from streams.engine.position import Muted, Stopped
from streams.engine.second_tries import Settled, fold_again
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from streams.engine.work import FoldRefused, time_of

SLICE = 200
"""How many events are decoded before they are folded."""
SLOW_S = 5.0

log = structlog.get_logger()


class Lane:
    """Folds what arrives in partition `number` of the view's sources. `open` comes before everything else."""

    def __init__(self, number: int, around: Surroundings, store: LaneStore) -> None:
        self.number = number
        self._around = around
        self._view = around.view
        self.ledger = Ledger(number, around, store)
        self._letters = self.ledger.letters
        self._canary = Canary(around, number)
        self._settled = Settled(around, number)
        self._holds = around.is_replay and around.view.is_time_ordered
        self.newest: dict[str, int] = {}
        """Per source topic, the time of the event that was folded last, in microseconds, since the lane was opened."""

    @property
    def next_offsets(self) -> dict[str, int]:
        """Per source topic, the offset to go on from."""
        return self.ledger.position.next_offsets

    @property
    def stopped(self) -> Stopped | None:
        """Why and since when the lane folds nothing more; None while it does."""
        return self.ledger.stopped

    @property
    def place(self) -> Place | None:
        """How far this lane may fold while it follows an older version of its view; None when it follows none."""
        return self.ledger.place

    def open(self, is_current: Callable[[], bool]) -> int:
        """After this older owners are fenced and the store equals the committed changelog. Returns the records read.

        `is_current` tells whether the lane is still ours; raises LaneLost when it is not. Raises ConfigFault when a
        topic was recreated, truncated or has another partition count.
        """
        count = self.ledger.open(is_current)
        with self._around.turn:
            self._settle()
        return count

    def fold(self, batches: Mapping[str, Sequence[Arrived]]) -> int:
        """After this all of `batches` (records in order, by source topic) is committed. Returns how many were new.

        Records below the next offset are passed over; a lane that stops leaves the rest. Raises LaneLost, or
        RegistryAway while a schema is needed that only the registry has; nothing that was begun remains, and the same
        call may be tried again. Raises ConfigFault where keys have moved between partitions.
        """
        with self._around.turn:
            return self._fold(batches)

    def try_again(self) -> bool:
        """After this dead letters that were replayed to the lane are folded, some of them. True when there may be more.

        What fails once more is a letter of the next attempt. It does not count towards the limit: nobody sent it.
        """
        found = None if self.stopped else self._settled.since(self.ledger.position)
        if found is None:
            return False
        with self._around.turn:
            draft = self.ledger.draft()
            draft.settled = found.position
            draft.replayed = {(letter.key or b"", letter.value): letter for letter in found.letters}
            for letter in found.letters:
                failed = fold_again(self._around, draft.work, self._letters, letter)
                if failed is not None:
                    draft.letters.append(failed)
            self.ledger.commit(draft)
        return found.has_more

    def wake(self, now: int) -> bool:
        """After this the alarms of silent keys up to `now` have gone off, some of them. True when there may be more."""
        with self._around.turn:
            return pages.wake(self.ledger, now)

    def pass_markers(self, steps: Mapping[str, tuple[int, int]]) -> None:
        """After this a source that stands at the first offset of its step stands at the second; nothing is between."""
        with self._around.turn:
            draft = self.ledger.draft()
            standing = self.ledger.position.sources
            draft.next_offsets = {
                topic: there for topic, (here, there) in steps.items() if standing[topic].next_offset == here
            }
            if draft.next_offsets:
                self.ledger.commit(draft)

    def follow(self) -> None:
        """While muted: after this a lane that had come as far as the followed version has rung the alarms that this one
        had rung, and knows how far it has come since; or it speaks, where it was to speak from there.
        """
        with self._around.turn:
            muted = self._followed_to()
        if muted is not None:
            self.ledger.leader.look(muted.version)

    def require_sole(self) -> None:
        """Raises LaneLost where another has written to the lane's changelog: the lane must be opened again."""
        self.ledger.require_sole()

    def tidy(self) -> bool:
        """After this records of forgotten keys are deleted, some of them. True when there may be more."""
        with self._around.turn:
            return pages.tidy(self.ledger)

    def _fold(self, batches: Mapping[str, Sequence[Arrived]]) -> int:
        fresh = {topic: self._fresh(topic, arrived) for topic, arrived in batches.items()}
        draft = self.ledger.draft()
        for topic, arrived in merged({topic: found for topic, found in fresh.items() if found}):
            if not self.stopped and not draft.stopped:
                draft = self._fold_segment(draft, topic, arrived)
        if draft.next_offsets:
            self.ledger.commit(draft)
        return sum(map(len, fresh.values()))

    def _fresh(self, topic: str, arrived: Sequence[Arrived]) -> Sequence[Arrived]:
        start = self.ledger.position.sources[topic].next_offset
        if arrived and arrived[0].offset >= start:
            return arrived
        return [record for record in arrived if record.offset >= start]

    def _fold_segment(self, draft: Draft, topic: str, arrived: Sequence[Arrived]) -> Draft:
        """Slice by slice, so that no more than one slice of decoded events is alive."""
        for start in range(0, len(arrived), SLICE):
            piece, started_at = arrived[start : start + SLICE], time.monotonic()
            draft = self._fold_slice(draft, topic, piece)
            self._note_slow(topic, piece, time.monotonic() - started_at)
            if self.stopped:
                break
            if piece[-1].offset >= self.ledger.position.sources[topic].next_offset:
                draft.next_offsets[topic] = piece[-1].offset + 1
            draft.stopped = self.ledger.excess(draft)
            if draft.stopped:
                break
            if any(letter.stage == "fold" for letter in draft.letters):
                # The key's next refusal would fold all of its events up to there again.
                self.ledger.commit(draft)
                draft = self.ledger.draft()
        return draft

    def _note_slow(self, topic: str, arrived: Sequence[Arrived], seconds: float) -> None:
        """A fold cannot be interrupted, but it can be named."""
        if seconds > SLOW_S:
            log.warning(
                "slow_fold",
                topic=topic,
                partition=self.number,
                offset=arrived[0].offset,
                last_offset=arrived[-1].offset,
                seconds=round(seconds, 1),
            )

    def _fold_slice(self, draft: Draft, topic: str, arrived: Sequence[Arrived]) -> Draft:
        decode = self._around.decoders[topic]
        found = decoded(decode, self._letters, topic, arrived)
        self._canary.look(topic, found)
        if not self._holds:
            keys = {record.key or b"" for record, event in found if type(event) is not DeadLettered}
            self.ledger.heads.prefetch([records.head_key(key) for key in keys])
        fold, event = draft.work.fold, None
        refused_offsets = set()
        for record, event in found:
            kind = type(event)
            if kind is DeadLettered:
                draft.letters.append(event)
                refused_offsets.add(record.offset)
            elif kind is ClockAdvanced:
                draft = self._at_clock(draft, topic, record, event)
                fold = draft.work.fold
                if self.stopped:
                    return draft
            elif self._holds:
                key = records.held_key(time_of(event), event.meta.event_id, record.offset)
                draft.held[key] = replay.held_value(topic, record)
            else:
                try:
                    fold(record.key or b"", event, record.value or b"", decode)
                except FoldRefused as refused:
                    draft.letters.append(self._letters.of_fold(topic, record, refused))
                    refused_offsets.add(record.offset)
        if refused_offsets:
            draft.tally.note(record.offset in refused_offsets for record in arrived)
        else:
            draft.tally.note_passed(len(arrived))
        if not isinstance(event, DeadLettered | ClockAdvanced):
            self.newest[topic] = time_of(event)
        return draft

    def _settle(self) -> None:
        """After this a lane that is new follows as it was told to, and one that may speak has said what it kept."""
        if self.ledger.position.commits == 0 and self._around.follows:
            draft = self.ledger.draft()
            draft.muted = Muted(self._around.follows)
            self.ledger.commit(draft)
        if self.ledger.position.muted is None:
            while pages.publish_kept(self.ledger):
                pass

    def _followed_to(self) -> Muted | None:
        """Whom to look at, where the lane has come as far as it is known to."""
        muted, place = self.ledger.position.muted, self.place
        if muted is None or place is None or not place.is_reached(self.next_offsets):
            return None
        while pages.wake(self.ledger, place.woken):
            pass
        if self.stopped:
            return None
        if muted.until is None:
            return muted
        draft = self.ledger.draft()
        draft.muted = None
        self.ledger.commit(draft)
        while pages.publish_kept(self.ledger):
            pass
        return None

    def _at_clock(self, draft: Draft, topic: str, record: Arrived, event: ClockAdvanced) -> Draft:
        """What came before the clock is committed before it moves; what comes after is a new commit."""
        if record.offset > self.ledger.position.sources[topic].next_offset:
            draft.next_offsets[topic] = record.offset
        if draft.next_offsets:
            self.ledger.commit(draft)
        if not self.stopped:
            self._advance(topic, event, record.offset + 1)
        return self.ledger.draft()

    def _advance(self, topic: str, event: ClockAdvanced, next_offset: int) -> None:
        """Moves the clock as far as all writers have come, folds what waited for that, and passes the word on."""
        self.ledger.position.advance(topic, event.writer, event.lane, event.until)
        reached = self.ledger.position.reached(self._around.writers)
        passed_on: list[ClockAdvanced] = []
        if self._around.is_replay and reached > self.ledger.position.clock:
            while pages.release(self.ledger, reached):
                pass
            while pages.wake(self.ledger, reached):
                pass
            if self.stopped:
                return  # the clock is read again once the lane goes on
            passed_on = [
                ClockAdvanced(
                    until=reached, writer=self._view.name, lane=self.number, lanes=self._around.partitions
                )
            ]
        draft = self.ledger.draft()
        draft.next_offsets, draft.passed_on = {topic: next_offset}, passed_on
        draft.clock = max(reached, self.ledger.position.clock) if passed_on else None
        self.ledger.commit(draft)
