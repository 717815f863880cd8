"""From one version of a view to the next: the older one stops for good, the newer one speaks from that very place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from streams.engine.log import Log
from streams.engine.muting import Place, place_of, switched
from streams.engine.position import Muted, Position, Retired
from streams.engine.takeover import Takeover, insist, standing
from streams.view import View
from vaart.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Lead:
    """How two versions of one lane stand to each other. `behind` counts offsets that the newer one has still to fold.

    `follows` is the older version, None where the lane is not muted (any more).
    """

    lane: int
    follows: int | None
    is_switched: bool
    behind: int


def lead(log: Log, view: View, lane: int) -> Lead:
    """How the lane stands to the version that it follows. Raises UsageFault where it has not begun."""
    position = _begun(view, lane, standing(log, view, lane).position)
    if position.muted is None:
        return Lead(lane, None, is_switched=True, behind=0)
    older = replace(view, version=position.muted.version)
    place = switched(position.muted) or _place(standing(log, older, lane).position)
    behind = sum(_behind(position, place))
    return Lead(lane, position.muted.version, position.muted.until is not None, behind)


def switch(log: Log, view: View, lane: int, at: int) -> Lead:
    """After this the followed version folds nothing more of the lane, and `view` speaks from where that one stood.

    Repeated, it changes nothing. Raises UsageFault where the lane has not begun to follow, or has gone too far.
    """
    found = lead(log, view, lane)
    return found if found.is_switched else insist(lambda: _switch(log, view, lane, at))


def _switch(log: Log, view: View, lane: int, at: int) -> Lead:
    newer = Takeover(view, log, lane)
    position = _begun(view, lane, newer.position)
    muted = position.muted
    if muted is None or muted.until is not None:
        return lead(log, view, lane)
    followed = replace(view, version=muted.version)
    older = Takeover(followed, log, lane)
    place = _place(older.position)
    _require_not_ahead(view, lane, position, place)
    stopped = older.position or Position(position.partitions)
    if stopped.retired is None:
        older.write(msgspec.structs.replace(stopped, retired=Retired(view.version, at)))
    until = Muted(muted.version, dict(place.offsets), place.woken)
    newer.write(msgspec.structs.replace(position, muted=until))
    return Lead(lane, muted.version, is_switched=True, behind=sum(_behind(position, place)))


def _begun(view: View, lane: int, position: Position | None) -> Position:
    if position is None:
        raise UsageFault(
            f"lane {lane} of version {view.version} of {view.name} has no state yet: run `vaart worker {view.name} "
            f"--follows {view.version - 1}` until it has caught up"
        )
    return position


def _place(position: Position | None) -> Place:
    """A version that has never folded anything of the lane stands in no one's way."""
    return Place({}) if position is None else place_of(position)


def _behind(position: Position, place: Place) -> Iterator[int]:
    for topic, here in position.next_offsets.items():
        yield max(0, place.offsets.get(topic, here) - here)


def _require_not_ahead(view: View, lane: int, position: Position, place: Place) -> None:
    """Below what was folded in silence nothing can be said any more."""
    ahead = [topic for topic, here in position.next_offsets.items() if here > place.offsets.get(topic, here)]
    if ahead:
        raise UsageFault(
            f"lane {lane} of version {view.version} of {view.name} is ahead of the version that it follows in "
            f"{', '.join(ahead)}, which was moved back. Let that one catch up, then switch"
        )
