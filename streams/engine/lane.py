"""A lane: one partition number of one view, one owner, one transactional producer, handled serially.

The unit of work is a batch. Its outputs, its changelog records, its dead letters and the next offsets of its sources
go into one Kafka transaction; only when that has committed is the store written. All methods block and are called
from one thread at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS
from streams.engine import changelog, position, records, replay
from streams.engine.arrivals import decoded, merged
from streams.engine.heads import Heads
from streams.engine.letters import Arrived, Letters
from streams.engine.log import LaneLost, Outgoing
from streams.engine.position import Position, SourcePosition
from streams.engine.sealing import Sealed, forgotten_records, seal
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from streams.engine.transaction import Transactions
from streams.engine.work import FoldRefused, Kinds, Work, time_of
from vaart import metrics
from vaart.failpoint import failpoint

SLICE = 200
"""How many events are decoded before they are folded."""
PAGE = 1_000
"""How many held events, due keys or records of forgotten keys one commit takes."""


class _Draft(msgspec.Struct, gc=False):
    """A commit in the making. `held` waits in the state; `stale` goes from the store only."""

    work: Work
    letters: list[DeadLettered] = []
    held: dict[bytes, bytes | None] = {}
    next_offsets: dict[str, int] = {}
    stale: list[bytes] = []
    passed_on: list[ClockAdvanced] = []


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
        self._holds = around.is_replay and around.view.is_time_ordered
        self._due_from = records.DUE
        self.newest: dict[str, int] = {}
        """Per source topic, the time of the event that was folded last, in microseconds, since the lane was opened."""

    @property
    def next_offsets(self) -> dict[str, int]:
        """Per source topic, the offset to go on from."""
        return {topic: source.next_offset for topic, source in self._position.sources.items()}

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
        return restored.records

    def fold(self, batches: Mapping[str, Sequence[Arrived]]) -> int:
        """After this all of `batches` (records in order, by source topic) is committed. Returns how many were new.

        Records below the next offset are passed over. Raises LaneLost, or RegistryAway while a schema is needed that
        only the registry has; nothing that was begun remains, and the same call may be tried again.
        """
        with self._around.turn:
            return self._fold(batches)

    def wake(self, now: int) -> bool:
        """After this the alarms of silent keys up to `now` have gone off, at most PAGE. True when there may be more."""
        with self._around.turn:
            return self._wake(now)

    def tidy(self) -> bool:
        """After this at most PAGE records of forgotten keys are deleted. True when there may be more."""
        with self._around.turn:
            return self._tidy()

    def _fold(self, batches: Mapping[str, Sequence[Arrived]]) -> int:
        fresh = {topic: self._fresh(topic, arrived) for topic, arrived in batches.items()}
        draft = self._draft()
        for topic, arrived in merged({topic: found for topic, found in fresh.items() if found}):
            draft = self._fold_segment(draft, topic, arrived)
        if draft.next_offsets:
            self._commit(draft)
        return sum(map(len, fresh.values()))

    def _fresh(self, topic: str, arrived: Sequence[Arrived]) -> Sequence[Arrived]:
        start = self._position.sources[topic].next_offset
        if arrived and arrived[0].offset >= start:
            return arrived
        return [record for record in arrived if record.offset >= start]

    def _fold_segment(self, draft: _Draft, topic: str, arrived: Sequence[Arrived]) -> _Draft:
        """Slice by slice, so that no more than one slice of decoded events is alive."""
        for start in range(0, len(arrived), SLICE):
            draft = self._fold_slice(draft, topic, arrived[start : start + SLICE])
        if arrived[-1].offset >= self._position.sources[topic].next_offset:
            draft.next_offsets[topic] = arrived[-1].offset + 1
        return draft

    def _fold_slice(self, draft: _Draft, topic: str, arrived: Sequence[Arrived]) -> _Draft:
        decode = self._around.decoders[topic]
        found = decoded(decode, self._letters, topic, arrived)
        if not self._holds:
            keys = {record.key or b"" for record, event in found if type(event) is not DeadLettered}
            self._heads.prefetch([records.head_key(key) for key in keys])
        fold, event = draft.work.fold, None
        for record, event in found:
            kind = type(event)
            if kind is DeadLettered:
                draft.letters.append(event)
            elif kind is ClockAdvanced:
                draft = self._at_clock(draft, topic, record, event)
                fold = draft.work.fold
            elif self._holds:
                key = records.held_key(time_of(event), event.meta.event_id, record.offset)
                draft.held[key] = replay.held_value(topic, record)
            else:
                try:
                    fold(record.key or b"", event, record.value or b"", decode)
                except FoldRefused as refused:
                    draft.letters.append(self._letters.of_record(topic, record, "fold", refused.reason))
        if not isinstance(event, DeadLettered | ClockAdvanced):
            self.newest[topic] = time_of(event)
        return draft

    def _wake(self, now: int) -> bool:
        due = list(islice(self._store.scan(self._due_from, records.due_until(now)), PAGE))
        if not due:
            return False
        draft = self._draft()
        draft.stale = [entry for entry, _ in due]
        keys = [records.due_of(entry)[1] for entry in draft.stale]
        self._heads.prefetch(map(records.head_key, keys))
        for key in keys:
            try:
                draft.work.ring(key, now)
            except FoldRefused as refused:
                draft.letters.append(self._letters.of_key("alarm", refused.reason, "", key, None))
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

    def _draft(self) -> _Draft:
        seq = (self._view.epoch << 40) + self._position.commits + 1
        around = self._around
        return _Draft(
            Work(self._view, self._kinds, self._heads, self._store, around.encoders, seq, self.number)
        )

    def _at_clock(self, draft: _Draft, topic: str, record: Arrived, event: ClockAdvanced) -> _Draft:
        """What came before the clock is committed before it moves; what comes after is a new commit."""
        if record.offset > self._position.sources[topic].next_offset:
            draft.next_offsets[topic] = record.offset
        if draft.next_offsets:
            self._commit(draft)
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
            passed_on = [
                ClockAdvanced(
                    until=reached, writer=self._view.name, lane=self.number, lanes=self._around.partitions
                )
            ]
        draft = self._draft()
        draft.next_offsets, draft.passed_on = {topic: next_offset}, passed_on
        self._commit(draft, clock=max(reached, self._position.clock) if passed_on else None)

    def _release(self, until: int) -> bool:
        """Folds held events up to `until` in the order of their times, at most PAGE. True when there may be more."""
        page = list(islice(self._store.scan(records.HELD, records.held_until(until)), PAGE))
        if not page:
            return False
        draft = self._draft()
        draft.held = dict.fromkeys(key for key, _ in page)
        for _, encoded in page:
            held = replay.held_of(encoded)
            decode = self._around.decoders[held.topic]
            try:
                draft.work.fold(held.key, decode(held.value), held.value, decode)
            except FoldRefused as refused:
                draft.letters.append(
                    self._letters.of_key("fold", refused.reason, held.topic, held.key, held.value)
                )
        self._commit(draft)
        return len(page) == PAGE

    def _commit(self, draft: _Draft, clock: int | None = None) -> None:
        """One transaction: outputs, dead letters, changelog, position; then the store, in one write."""
        if self._transactions is None:
            raise LaneLost("the lane is not open")
        sealed = seal(draft.work, self._kinds, self._store)
        self._note_refused(sealed, draft.letters)
        moved = self._moved(draft.next_offsets, clock)
        encoded = position.encode(moved)
        kept = {**sealed.changed, **draft.held}
        end = self._transactions.commit(self._outgoing(sealed, draft), kept, encoded)
        level = changelog.End(self._changelog_end.topic_id, end, self._around.clock())
        own = {records.POSITION: encoded, changelog.END_KEY: changelog.encode_end(level)}
        self._store.write({**dict.fromkeys(draft.stale), **sealed.index, **kept, **own})
        failpoint("after_store")
        self._heads.note(sealed.changed)
        self._due_from = min(
            [draft.stale[-1] if draft.stale else self._due_from]
            + [key for key, value in sealed.index.items() if value is not None]
        )
        self._position, self._changelog_end = moved, level
        self._measure(sealed, draft.work)

    def _note_refused(self, sealed: Sealed, letters: list[DeadLettered]) -> None:
        """A letter for each event of a key that cannot be written, or for its alarm where there was no event."""
        for refused in sealed.refused:
            letters += [
                self._letters.of_key("encode", refused.reason, "", refused.key, raw)
                for raw in refused.events or (None,)
            ]

    def _measure(self, sealed: Sealed, work: Work) -> None:
        group = self._view.group
        for word, count in work.skipped.items():
            metrics.EVENTS_SKIPPED.labels(group, word).inc(count)
        if sealed.hottest:
            metrics.HOT_KEY_SHARE.labels(group, str(self.number)).set(sealed.hottest)
        if sealed.largest:
            metrics.STATE_BYTES.labels(group).observe(sealed.largest)

    def _moved(self, next_offsets: Mapping[str, int], clock: int | None) -> Position:
        sources = dict(self._position.sources)
        for topic, offset in next_offsets.items():
            source = sources[topic]
            sources[topic] = SourcePosition(source.topic_id, offset, source.advanced)
        time = self._position.clock if clock is None else clock
        return Position(self._position.partitions, self._position.commits + 1, time, sources)

    def _outgoing(self, sealed: Sealed, draft: _Draft) -> Iterator[Outgoing]:
        yield from sealed.outgoing
        for letter in draft.letters:
            value = self._around.encoders(DEAD_LETTERS, DeadLettered)(letter)
            yield Outgoing(DEAD_LETTERS.name, f"{letter.source_topic}:{letter.partition}".encode(), value)
        for advanced in draft.passed_on:
            yield from replay.passed_on(self._around, advanced)
