"""What the world hears of a lane that stopped: a metric to alert on, readiness, and the command that lets it go on."""

from collections.abc import Mapping
from contextlib import suppress

import msgspec
import structlog

from streams.engine.limit import WORDS
from streams.engine.log import Log
from streams.engine.position import Stopped
from streams.engine.takeover import Takeover, insist, standing
from streams.view import View
from vaart import metrics

log = structlog.get_logger()


def show(view: View, lane: int, stopped: Stopped | None) -> None:
    """After this the metric says whether the lane stands still; if it does, the log says why and what to do."""
    metrics.LANE_STOPPED.labels(view.group, str(lane)).set(stopped is not None)
    if stopped is not None:
        log.error(
            "lane_stopped",
            lane=lane,
            reason=WORDS[stopped.word],
            since=stopped.at,
            command=_command(view, lane),
        )


def forget(view: View, lane: int) -> None:
    """After this the metrics say nothing of the lane: it is somebody else's."""
    for gauge in (metrics.LANE_STOPPED, metrics.HOT_KEY_SHARE):
        with suppress(KeyError):
            gauge.remove(view.group, str(lane))


def fault(view: View, stopped: Mapping[int, Stopped]) -> str | None:
    """Why the worker is not ready; None where no lane stands still."""
    if not stopped:
        return None
    words = "; ".join(f"lane {lane}: {WORDS[each.word]}" for lane, each in sorted(stopped.items()))
    return f"{words}. See `vaart dlq list --view {view.name}`, then `{_command(view)}`"


def of(log_: Log, view: View, lane: int) -> Stopped | None:
    """Why and since when the lane stands still, as its changelog says; None where it does not."""
    position = standing(log_, view, lane).position
    return None if position is None else position.stopped


def lift(log_: Log, view: View, lane: int) -> None:
    """After this the lane may go on: a worker that owns it notices within seconds."""

    def act() -> None:
        held = Takeover(view, log_, lane)
        if held.position is not None and held.position.stopped is not None:
            held.write(msgspec.structs.replace(held.position, stopped=None))

    insist(act)


def _command(view: View, lane: int | None = None) -> str:
    return f"vaart dlq resume {view.name}" + ("" if lane is None else f" --lane {lane}")
