"""A lane: one partition number of one view, one owner, one transactional producer, handled serially.

The unit of work is a batch. Its outputs, its changelog records, its dead letters and the next offsets of its sources
go into one Kafka transaction; only when that has committed is the store written. All methods block and are called
from one thread at a time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import structlog

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from streams.engine import changelog, muting, position, records, replay
from streams.engine import draft as drafts
from streams.engine.arrivals import decoded, merged
from streams.engine.canary import Canary
from streams.engine.draft import Draft
from streams.engine.heads import Heads
from streams.engine.leader import Leader
from streams.engine.letters import Arrived, Letters, tell
from streams.engine.limit import Limit
from streams.engine.log import LaneLost
from streams.engine.muting import Place
from streams.engine.position import Muted, Position, Stopped
from streams.engine.sealing import forgotten_records, seal
from streams.engine.second_tries import Settled, fold_again
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from streams.engine.transaction import Transactions
from streams.engine.work import FoldRefused, Kinds, Work, time_of
from vaart.failpoint import failpoint

SLICE = 200
"""How many events are decoded before they are folded."""
PAGE = 1_000
"""How many held events, due keys, kept snapshots or records of forgotten keys one commit takes."""
SLOW_S = 5.0
MARKER_OFFSETS = 1
"""A commit ends in a transaction marker, which has an offset of its own."""

log = structlog.get_logger()


class Lane:
    """Folds what arrives in partition `number` of the view's sources. `open` comes before everything else."""

    def __init__(self, number: int, around: Surroundings, store: LaneStore) -> None:
        self.number = number
        self._around = around
        self._view = around.view
        self._store = store
        self._heads = Heads(store)
        self._kinds = Kinds(around.view)
        self._transactions: Transactions | None = None
        self._position = Position(partitions=around.partitions)
        self._changelog_end = changelog.End("", 0, 0)
        self._letters = Letters(around, number)
        self._limit = Limit()
        self._canary = Canary(around, number)
        self._settled = Settled(around, number)
        self._holds = around.is_replay and around.view.is_time_ordered
        self._leader = Leader(around, number)
        self._due_from = records.DUE
        self.newest: dict[str, int] = {}
        """Per source topic, the time of the event that was folded last, in microseconds, since the lane was opened."""

    @property
    def next_offsets(self) -> dict[str, int]:
        """Per source topic, the offset to go on from."""
        return self._position.next_offsets

    @property
    def stopped(self) -> Stopped | None:
        """Why and since when the lane folds nothing more; None while it does."""
        return self._position.stopped

    @property
    def place(self) -> Place | None:
        """How far this lane may fold while it follows an older version of its view; None when it follows none."""
        muted = self._position.muted
        return None if muted is None else muting.switched(muted) or self._leader.place

    def open(self, is_current: Callable[[], bool]) -> int:
        """After this older owners are fenced and the store equals the committed changelog. Returns the records read.

        `is_current` tells whether the lane is still ours; raises LaneLost when it is not. Raises ConfigFault when a
        topic was recreated, truncated or has another partition count.
        """
        if not is_current():
            raise LaneLost("the lane was taken away before it was opened")
        transactions = Transactions(self._around, self.number)
        if not is_current():
            raise LaneLost("the lane was taken away while it was opened")
        self._transactions = transactions
        restored = changelog.restore(self._around, self.number, self._store, is_current)
        self._position, self._changelog_end = restored.position, restored.end
        with self._around.turn:
            self._settle()
        return restored.records

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
        found = None if self.stopped else self._settled.since(self._position)
        if found is None:
            return False
        with self._around.turn:
            draft = self._draft()
            draft.settled = found.position
            draft.replayed = {(letter.key or b"", letter.value): letter for letter in found.letters}
            for letter in found.letters:
                failed = fold_again(self._around, draft.work, self._letters, letter)
                if failed is not None:
                    draft.letters.append(failed)
            self._commit(draft)
        return found.has_more

    def wake(self, now: int) -> bool:
        """After this the alarms of silent keys up to `now` have gone off, at most PAGE. True when there may be more."""
        with self._around.turn:
            return self._wake(now)

    def pass_markers(self, steps: Mapping[str, tuple[int, int]]) -> None:
        """After this a source that stands at the first offset of its step stands at the second; nothing is between."""
        with self._around.turn:
            draft = self._draft()
            standing = self._position.sources
            draft.next_offsets = {
                topic: there for topic, (here, there) in steps.items() if standing[topic].next_offset == here
            }
            if draft.next_offsets:
                self._commit(draft)

    def follow(self) -> None:
        """While muted: after this a lane that had come as far as the followed version has rung the alarms that this one
        had rung, and knows how far it has come since; or it speaks, where it was to speak from there.
        """
        with self._around.turn:
            muted = self._followed_to()
        if muted is not None:
            self._leader.look(muted.version)

    def require_sole(self) -> None:
        """Raises LaneLost where another has written to the lane's changelog: the lane must be opened again."""
        _, high = self._around.log.bounds(self._view.changelog, self.number)
        if high > self._changelog_end.offset + MARKER_OFFSETS:
            raise LaneLost("the lane's changelog went on without its owner")

    def tidy(self) -> bool:
        """After this at most PAGE records of forgotten keys are deleted. True when there may be more."""
        with self._around.turn:
            return self._tidy()

    def _fold(self, batches: Mapping[str, Sequence[Arrived]]) -> int:
        fresh = {topic: self._fresh(topic, arrived) for topic, arrived in batches.items()}
        draft = self._draft()
        for topic, arrived in merged({topic: found for topic, found in fresh.items() if found}):
            if not self.stopped and not draft.stopped:
                draft = self._fold_segment(draft, topic, arrived)
        if draft.next_offsets:
            self._commit(draft)
        return sum(map(len, fresh.values()))

    def _fresh(self, topic: str, arrived: Sequence[Arrived]) -> Sequence[Arrived]:
        start = self._position.sources[topic].next_offset
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
            if piece[-1].offset >= self._position.sources[topic].next_offset:
                draft.next_offsets[topic] = piece[-1].offset + 1
            draft.stopped = self._excess(draft)
            if draft.stopped:
                break
            if any(letter.stage == "fold" for letter in draft.letters):
                self._commit(draft)  # the key's next refusal would fold all of its events up to there again
                draft = self._draft()
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
            self._heads.prefetch([records.head_key(key) for key in keys])
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
        if self._position.commits == 0 and self._around.follows:
            draft = self._draft()
            draft.muted = Muted(self._around.follows)
            self._commit(draft)
        if self._position.muted is None:
            self._publish_kept()

    def _followed_to(self) -> Muted | None:
        """Whom to look at, where the lane has come as far as it is known to."""
        muted, place = self._position.muted, self.place
        if muted is None or place is None or not place.is_reached(self.next_offsets):
            return None
        while self._wake(place.woken):
            pass
        if self.stopped:
            return None
        if muted.until is None:
            return muted
        draft = self._draft()
        draft.muted = None
        self._commit(draft)
        self._publish_kept()
        return None

    def _publish_kept(self) -> None:
        while page := list(islice(self._store.scan(records.KEPT, records.KEPT_END), PAGE)):
            draft = self._draft()
            draft.held = dict.fromkeys(key for key, _ in page)
            draft.kept = [muting.kept_of(key, value) for key, value in page]
            self._commit(draft)

    def _excess(self, draft: Draft) -> Stopped | None:
        now = self._around.clock()
        word = self._limit.excess(draft.tally, now)
        return None if word is None else Stopped(now, word)

    def _wake(self, now: int) -> bool:
        if self.stopped:
            return False
        due = list(islice(self._store.scan(self._due_from, records.due_until(now)), PAGE))
        woken = max(self._position.woken, now if len(due) < PAGE else records.due_of(due[-1][0])[0] - 1)
        if not due:
            self._position.woken = woken
            return False
        draft = self._draft()
        draft.woken = woken
        draft.stale = [entry for entry, _ in due]
        keys = [records.due_of(entry)[1] for entry in draft.stale]
        self._heads.prefetch(map(records.head_key, keys))
        for key in keys:
            count = len(draft.letters)
            try:
                draft.work.ring(key, now)
            except FoldRefused as refused:
                draft.letters.append(self._letters.of_alarm(key, refused))
            draft.tally.note([len(draft.letters) > count])
        self._commit(draft)
        return len(due) == PAGE

    def _tidy(self) -> bool:
        notes = list(islice(self._store.scan(records.FORGOTTEN, records.FORGOTTEN_END), 1))
        if not notes:
            return False
        note, incarnation = notes[0][0], records.forgotten_incarnation(notes[0][1])
        key = records.key_of_forgotten(note)
        page = list(islice(forgotten_records(key, incarnation, self._kinds, self._store), PAGE))
        draft = self._draft()
        draft.held = dict.fromkeys(page if len(page) == PAGE else [*page, note])
        self._commit(draft)
        return True

    def _draft(self) -> Draft:
        seq = (self._view.epoch << 40) + self._position.commits + 1
        around = self._around
        work = Work(self._view, self._kinds, self._heads, self._store, around.encoders, seq, self.number)
        return Draft(work, self._position.muted, self._position.woken, tally=self._limit.tally())

    def _at_clock(self, draft: Draft, topic: str, record: Arrived, event: ClockAdvanced) -> Draft:
        """What came before the clock is committed before it moves; what comes after is a new commit."""
        if record.offset > self._position.sources[topic].next_offset:
            draft.next_offsets[topic] = record.offset
        if draft.next_offsets:
            self._commit(draft)
        if not self.stopped:
            self._advance(topic, event, record.offset + 1)
        return self._draft()

    def _advance(self, topic: str, event: ClockAdvanced, next_offset: int) -> None:
        """Moves the clock as far as all writers have come, folds what waited for that, and passes the word on."""
        self._position.advance(topic, event.writer, event.lane, event.until)
        reached = self._position.reached(self._around.writers)
        passed_on: list[ClockAdvanced] = []
        if self._around.is_replay and reached > self._position.clock:
            while self._release(reached):
                pass
            while self._wake(reached):
                pass
            if self.stopped:
                return  # the clock is read again once the lane goes on
            passed_on = [
                ClockAdvanced(
                    until=reached, writer=self._view.name, lane=self.number, lanes=self._around.partitions
                )
            ]
        draft = self._draft()
        draft.next_offsets, draft.passed_on = {topic: next_offset}, passed_on
        draft.clock = max(reached, self._position.clock) if passed_on else None
        self._commit(draft)

    def _release(self, until: int) -> bool:
        """Folds held events up to `until` in the order of their times, at most PAGE. True when there may be more."""
        if self.stopped:
            return False
        page = list(islice(self._store.scan(records.HELD, records.held_until(until)), PAGE))
        if not page:
            return False
        draft = self._draft()
        draft.held = dict.fromkeys(key for key, _ in page)
        for _, encoded in page:
            held = replay.held_of(encoded)
            decode = self._around.decoders[held.topic]
            count = len(draft.letters)
            try:
                draft.work.fold(held.key, decode(held.value), held.value, decode)
            except FoldRefused as refused:
                draft.letters.append(self._letters.of_held(held.topic, held.key, held.value, refused))
            draft.tally.note([len(draft.letters) > count])
        self._commit(draft)
        return len(page) == PAGE

    def _commit(self, draft: Draft) -> None:
        """One transaction: outputs, dead letters, changelog, position; then the store, in one write."""
        if self._transactions is None:
            raise LaneLost("the lane is not open")
        sealed = seal(draft.work, self._kinds, self._store)
        drafts.note_refused(draft, sealed, self._letters)
        draft.stopped = self._excess(draft)
        place = None if draft.muted is None else self.place
        first_due = min([key for key, value in sealed.index.items() if value is not None], default=None)
        now = self._around.clock()
        moved = drafts.moved(self._position, draft, first_due, now, self._view.epoch)
        encoded = position.encode(moved)
        kept = drafts.written(draft, sealed, place)
        end = self._transactions.commit(drafts.outgoing(self._around, draft, sealed, place), kept, encoded)
        level = changelog.End(self._changelog_end.topic_id, end, now, is_own=True)
        own = {records.POSITION: encoded, changelog.END_KEY: changelog.encode_end(level)}
        self._store.write({**dict.fromkeys(draft.stale), **sealed.index, **kept, **own})
        failpoint("after_store")
        self._heads.note(sealed.changed)
        self._due_from = draft.stale[-1] if draft.stale else self._due_from
        self._due_from = min(self._due_from, first_due or self._due_from)
        self._position, self._changelog_end = moved, level
        self._limit.add(draft.tally, self._around.clock())
        tell(drafts.said(draft, place))
        drafts.measure(draft, sealed, self._view.group, self.number)
