"""Whether events are as their source's tracking plan says. What is not is flagged and kept: nothing is turned away.

The mark stands in the event itself: `meta.context["off_plan"]` says what is wrong with it, in words that hold no value.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, cast

import msgspec

from connectors.plans.fields import Look, is_empty
from schemas.events.activity import CustomActivityRecorded
from schemas.meta import Event

Reason = Literal["unplanned_event", "unplanned_field", "missing", "unfit", "not_allowed"]
"""Unfit is of another kind than planned; not allowed is of that kind, and none of the planned values."""

OFF_PLAN = "off_plan"
"""In `meta.context` of an event that is not as planned."""
KNOWN_BY = "known_by"
"""Stands for the field where none of the planned identifiers is there."""
FLAGS_MAX, LOOKED_MAX = 10, 100
"""Of one event: one that is all wrong need not say everything."""
UNNAMED = "?"
_NAME = re.compile(r"(?!.*\d{6})(?:[^\W\d]|\$)[\w .$/:-]{0,63}")
"""Names that senders choose can hold anything: addresses and numbers of people are not names."""


@dataclass(frozen=True, slots=True)
class Flag:
    """What is not as planned: of an event, by our type of it or by the sender's own name, and mostly of a field."""

    reason: Reason
    event: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Of one field. `fits` says whether a value is of the planned kind, `allows` whether it is a planned one."""

    path: str
    look: Look
    is_required: bool = False
    fits: Callable[[Any], bool] | None = None
    allows: Callable[[Any], bool] | None = None

    def reason(self, value: Any) -> Reason | None:
        """Why the value is not as planned; None where it is."""
        if is_empty(value):
            return "missing" if self.is_required else None
        if self.fits is not None and not self.fits(value):
            return "unfit"
        return None if self.allows is None or self.allows(value) else "not_allowed"


@dataclass(frozen=True, slots=True)
class Planned:
    """Of one event. `unplanned` finds the names that the plan does not have; None where any may be there."""

    rules: Sequence[Rule]
    known_by: frozenset[str] = frozenset()
    unplanned: Callable[[Any], Iterable[str]] | None = None

    def flags(self, name: str, event: Event, told: Any) -> Iterator[Flag]:
        """What is not as planned in `told`: the event, or its properties."""
        for rule in self.rules:
            for value in rule.look(told):
                if (reason := rule.reason(value)) is not None:
                    yield Flag(reason, name, word(rule.path))
        if self.known_by and not any(each.kind in self.known_by for each in event.meta.identifiers):
            yield Flag("missing", name, KNOWN_BY)
        if self.unplanned is not None:
            yield from (Flag("unplanned_field", name, word(each)) for each in self.unplanned(told))


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one source: `events` by their type; `custom` by the sender's own name, of what has no type of ours.

    `flags_others` says whether events that it does not name are flagged.
    """

    events: Mapping[type[Event], Planned]
    custom: Mapping[str, Planned]
    flags_others: bool = True

    def flags(self, event: Event) -> Iterator[Flag]:
        """What is not as planned."""
        planned, name, told = self.events.get(type(event)), type(event).__name__, cast(Any, event)
        if isinstance(event, CustomActivityRecorded):
            planned, name, told = self.custom.get(event.name), word(event.name), properties_of(event)
        if planned is not None:
            yield from planned.flags(name, event, told)
        elif self.flags_others:
            yield Flag("unplanned_event", name)


def checked(plan: Plan | None, events: list[Event]) -> tuple[list[Event], list[Flag]]:
    """The same events, those that are not as planned with a mark, and what is wrong with them."""
    if plan is None:
        return events, []
    told = [(event, _first(plan.flags(event))) for event in events]
    marked = [_marked(event, flags) if flags else event for event, flags in told]
    return marked, [flag for _, flags in told for flag in flags]


def word(name: str) -> str:
    """The name, where it is one that may be shown."""
    return name if _NAME.fullmatch(name) else UNNAMED


def _first(flags: Iterable[Flag]) -> list[Flag]:
    return list(dict.fromkeys(islice(flags, LOOKED_MAX)))[:FLAGS_MAX]


def _marked(event: Event, flags: Iterable[Flag]) -> Event:
    told = ", ".join(f"{flag.reason} {flag.field}".strip() for flag in flags)
    meta = msgspec.structs.replace(event.meta, context={**event.meta.context, OFF_PLAN: told})
    return msgspec.structs.replace(event, meta=meta)


def properties_of(event: CustomActivityRecorded) -> Mapping[str, Any]:
    """What the sender said about it; nothing, where that is no object."""
    try:
        found = msgspec.json.decode(event.properties_json)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
