"""Replay history: every event in the order of its own time, and the clock on every partition behind them."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from connectors.files.outlet import Outlet
from schemas.events.clock import ClockAdvanced
from schemas.meta import Event, Instant
from schemas.topic import Topic
from schemas.topics import TOPICS

WRITER = "replay"
"""How the engine knows who moves the clock."""
WEEK_US = 7 * 86_400_000_000
PROGRESS_EVENTS = 1_000


class Kind(Protocol):
    """Events of one kind, in the order of their times."""

    @property
    def name(self) -> str:
        """What they are."""

    @property
    def is_opening(self) -> bool:
        """Whether they come before all others."""

    def __iter__(self) -> Iterator[Event]: ...


@dataclass(slots=True)
class Progress:
    """How far a replay is: events sent, by kind, and the moment that it has reached."""

    events: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    at: Instant = 0


INPUTS = tuple(topic for topic in TOPICS if topic.is_input)
"""Every topic whose clock a replay moves, so that no view waits for one."""


class OutOfOrder(Exception):
    """A kind gave an event that is older than its last one: the replay would not be one."""


def replay(
    kinds: Sequence[Kind],
    outlet: Outlet,
    topics: Sequence[Topic],
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """After this every event is acknowledged, and the clock of all `topics` stands at `end` or at the last event.

    The opening events are acknowledged before any other is sent; then the clock is set to just before the first of
    the others, at most `start`, and moved with each week that is over, counted from `start` (else from that event).
    Raises the first failed delivery.
    """
    run = _Run(outlet, topics, progress)
    for kind in kinds:
        if kind.is_opening:
            for event in kind:
                run.send(kind.name, event)
    outlet.flush()
    first, others = _peeked(_merged([kind for kind in kinds if not kind.is_opening]))
    before = run.progress.at if first is None else first.meta.occurred_at - 1
    run.advance(before if start is None else min(start, before))
    boundary = (before if start is None else start) + WEEK_US
    for name, event in others:
        while event.meta.occurred_at > boundary:
            run.advance(boundary)
            boundary += WEEK_US
        run.send(name, event)
    run.advance(max(end or 0, run.progress.at))
    outlet.flush()
    progress(run.progress)
    return run.progress


class _Run:
    def __init__(self, outlet: Outlet, topics: Sequence[Topic], tell: Callable[[Progress], None]) -> None:
        self.progress = Progress()
        self._outlet = outlet
        self._topics = topics
        self._tell = tell

    def send(self, name: str, event: Event) -> None:
        self._outlet.publish(event)
        progress = self.progress
        progress.events += 1
        progress.by_kind[name] = progress.by_kind.get(name, 0) + 1
        progress.at = max(progress.at, event.meta.occurred_at)
        if progress.events % PROGRESS_EVENTS == 0:
            self._tell(progress)

    def advance(self, until: Instant) -> None:
        self._outlet.advance(self._topics, ClockAdvanced(until=until, writer=WRITER))


def _merged(kinds: Iterable[Kind]) -> Iterator[tuple[str, Event]]:
    """Of events at one moment, those of the kind that stands first in the mapping come first."""
    return heapq.merge(*(_checked(kind) for kind in kinds), key=lambda each: each[1].meta.occurred_at)


def _checked(kind: Kind) -> Iterator[tuple[str, Event]]:
    last = None
    for event in kind:
        if last is not None and event.meta.occurred_at < last:
            raise OutOfOrder(f"{kind.name} is not in the order of its times")
        last = event.meta.occurred_at
        yield kind.name, event


def _peeked(
    events: Iterator[tuple[str, Event]],
) -> tuple[Event | None, Iterator[tuple[str, Event]]]:
    first = next(events, None)
    return (None, iter(())) if first is None else (first[1], chain([first], events))
