"""A view that also says what it folds, in order, on a topic of its own: so a run can be held against a plain fold."""

from dataclasses import replace
from typing import Any

import msgspec

from schemas.meta import Entry
from schemas.topic import Topic
from streams.view import Output, State, Step, Tick, View


class Traced(Entry, frozen=True, gc=False, kw_only=True):
    """What was folded for a key: the event of this id, or where there is none, the alarm of this time."""

    at: int
    event_id: str = ""


TRACE = Topic("simulated.trace.v1", (Traced,))


def traced(view: View) -> View:
    """`view`, with TRACE as one more output."""

    def fold(state: State[Any], event: Any) -> Step:
        step = view.fold(state, event)
        told = Traced(at=event.at) if isinstance(event, Tick) else Traced(at=0, event_id=event.meta.event_id)
        return msgspec.structs.replace(step, outputs=[*step.outputs, Output(TRACE, state.key, told)])

    return replace(view, outputs=(*view.outputs, TRACE), fold=fold)
