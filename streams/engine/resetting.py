"""Moving a lane to other offsets, as an operator asks for it; its state stays as it is."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from streams.engine.log import Log
from streams.engine.position import Position, SourcePosition
from streams.engine.takeover import Takeover, insist
from streams.view import View
from vaart.errors import UsageFault

Aim = Callable[[str, int, int, int], int]
"""Where to go on: from the source topic, the lane, the first offset that is still there and the end."""


@dataclass(frozen=True, slots=True)
class Step:
    """One source partition goes on from `to` and not from `here`."""

    source: str
    lane: int
    here: int
    to: int


def steps(log: Log, view: View, lane: int, position: Position | None, aim: Aim) -> list[Step]:
    """What moving the lane would do. Raises UsageFault where it cannot be moved there."""
    if position is None:
        raise UsageFault(
            f"lane {lane} of {view.group} has no position yet: run `vaart worker {view.name}` first"
        )
    if position.retired is not None:
        raise UsageFault(f"lane {lane} of {view.group} was retired by version {position.retired.by}")
    return [_step(log, source, lane, here, aim) for source, here in position.next_offsets.items()]


def reset(log: Log, view: View, lane: int, aim: Aim) -> list[Step]:
    """After this the lane goes on from where `aim` says; a worker that runs notices within seconds.

    Raises UsageFault, or DependencyAway where Kafka does not answer or the owner cannot be stopped.
    """

    def act() -> list[Step]:
        held = Takeover(view, log, lane)
        found = steps(log, view, lane, held.position, aim)
        if held.position is not None:
            held.write(_moved(held.position, found))
        return found

    return insist(act)


def _step(log: Log, source: str, lane: int, here: int, aim: Aim) -> Step:
    low, high = log.bounds(source, lane)
    to = aim(source, lane, low, high)
    if not low <= to <= high:
        raise UsageFault(f"{source}[{lane}] holds {low} to {high}, which {to} is not within")
    return Step(source, lane, here, to)


def _moved(position: Position, found: list[Step]) -> Position:
    sources = dict(position.sources)
    for step in found:
        source = sources[step.source]
        sources[step.source] = SourcePosition(source.topic_id, step.to, source.advanced)
    return msgspec.structs.replace(position, sources=sources)
