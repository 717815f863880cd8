"""A commit in the making: what has been folded, what goes out beside it, how the lane's position moves."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS
from streams.engine import muting, records, replay
from streams.engine.letters import Letters
from streams.engine.limit import Tally
from streams.engine.log import Outgoing
from streams.engine.muting import Place
from streams.engine.position import Muted, Position, SourcePosition, Stopped
from streams.engine.sealing import Sealed
from streams.engine.surroundings import Surroundings
from streams.engine.work import Decode, Work
from vaart import metrics


class Draft(msgspec.Struct, gc=False):
    """What one commit writes beside the states in `work`, where there is anything.

    `held` waits in the state; `stale` goes from the store only; `kept` are snapshots that a muted lane kept until now.
    From this commit on the lane follows the version in `muted`, and every alarm up to `woken` that was there before has
    gone off. `clock` is the moment that a replay has reached. The `replayed` letters are tried again, by their key and
    value; `settled` is how far they were read. With `stopped` the lane folds nothing after this commit.
    """

    work: Work
    muted: Muted | None
    woken: int
    letters: list[DeadLettered] = []
    held: dict[bytes, bytes | None] = {}
    next_offsets: dict[str, int] = {}
    stale: list[bytes] = []
    passed_on: list[ClockAdvanced] = []
    kept: list[Outgoing] = []
    clock: int | None = None
    tally: Tally = msgspec.field(default_factory=Tally)
    stopped: Stopped | None = None
    replayed: dict[tuple[bytes, bytes | None], DeadLettered] = {}
    settled: SourcePosition | None = None


def written(draft: Draft, sealed: Sealed, place: Place | None) -> dict[bytes, bytes | None]:
    """What goes to the changelog and the store. `place` is None where the lane is not muted."""
    silent = {} if place is None else muting.kept(sealed.snapshots)
    return {**sealed.changed, **draft.held, **silent}


def outgoing(around: Surroundings, draft: Draft, sealed: Sealed, place: Place | None) -> Iterator[Outgoing]:
    """What goes out; of a muted lane, only letters."""
    if place is None:
        yield from sealed.outgoing
        yield from sealed.snapshots
        yield from draft.kept
        for advanced in draft.passed_on:
            yield from replay.passed_on(around, advanced)
    for letter in said(draft, place):
        value = around.encoders(DEAD_LETTERS, DeadLettered)(letter)
        yield Outgoing(DEAD_LETTERS.name, f"{letter.source_topic}:{letter.partition}".encode(), value)


def said(draft: Draft, place: Place | None) -> list[DeadLettered]:
    """The letters that are written; of a muted lane, those that nobody else can have written."""
    return draft.letters if place is None else muting.said_all_the_same(draft.letters, place)


def moved(position: Position, draft: Draft, first_due: bytes | None, at: int, epoch: int) -> Position:
    """The position that belongs to the commit. `first_due` is the earliest entry that it adds to the due index."""
    woken = draft.woken if first_due is None else min(draft.woken, records.due_of(first_due)[0] - 1)
    return msgspec.structs.replace(
        position,
        commits=position.commits + 1,
        clock=position.clock if draft.clock is None else draft.clock,
        sources=_sources(position.sources, draft.next_offsets),
        at=at,
        epoch=epoch,
        woken=woken,
        muted=draft.muted,
        stopped=draft.stopped or position.stopped,
        settled=draft.settled or position.settled,
        is_heir=position.is_heir or draft.muted is not None,
    )


def note_refused(draft: Draft, sealed: Sealed, letters: Letters) -> None:
    """A letter for each event of a key that cannot be written, or for its alarm where there was no event."""
    for refused in sealed.refused:
        events: Sequence[tuple[Decode | None, bytes | None]] = refused.events or [(None, None)]
        found = [letters.of_unwritten(refused.reason, decode, refused.key, raw) for decode, raw in events]
        draft.letters += [_again(draft, letters, letter) for letter in found]
        draft.tally.note([True] * len(found))


def _again(draft: Draft, letters: Letters, letter: DeadLettered) -> DeadLettered:
    """`letter`, or the next attempt's where its record was a replayed one."""
    tried = draft.replayed.get((letter.key or b"", letter.value))
    if tried is None:
        return letter
    return letters.again(tried, letter.stage, letter.reason, letter.detail)


def measure(draft: Draft, sealed: Sealed, group: str, lane: int) -> None:
    """After this the commit is in the metrics."""
    for word, count in draft.work.skipped.items():
        metrics.EVENTS_SKIPPED.labels(group, word).inc(count)
    if sealed.hottest:
        metrics.HOT_KEY_SHARE.labels(group, str(lane)).set(sealed.hottest)
    if sealed.largest:
        metrics.STATE_BYTES.labels(group).observe(sealed.largest)


def _sources(
    sources: Mapping[str, SourcePosition], next_offsets: Mapping[str, int]
) -> dict[str, SourcePosition]:
    found = dict(sources)
    for topic, offset in next_offsets.items():
        source = found[topic]
        found[topic] = SourcePosition(source.topic_id, offset, source.advanced)
    return found
