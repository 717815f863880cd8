"""A plan as a source seems to follow it: drafted from what it sent, for people to read, mend and keep.

A draft holds names and kinds, never a value; a name that could be somebody's address or number is left out.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.plans.checking import UNNAMED, properties_of, word
from connectors.plans.fields import Kind, always_there, is_empty, told_in
from connectors.plans.form import EVENTS_MAX, FIELDS_MAX
from connectors.plans.kinds import fits_of
from schemas.events.activity import CustomActivityRecorded
from schemas.meta import Event

SURE_FROM = 10
"""What is in all of so many events is said to be required."""
TEXTS: tuple[Kind, ...] = ("day", "time", "text")
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:[ .-]\w+)*", re.ASCII)
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What YAML reads as something else."""


@dataclass(slots=True)
class Seen:
    """Of one event: how often, which fields in how many of them and of which kinds, and who it was about."""

    count: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, set[Kind]] = field(default_factory=dict)
    identified: int = 0
    known_by: set[str] = field(default_factory=set)

    def note(self, event: Event, names: list[str]) -> None:
        """One event more."""
        self.count += 1
        self.fields.update(names)
        self.identified += bool(event.meta.identifiers)
        self.known_by.update(word(each.kind) for each in event.meta.identifiers)


@dataclass(slots=True)
class Sight:
    """What a source sent, by type and by the sender's own names. `unnamed` counts names that are not to be shown."""

    events: dict[str, Seen] = field(default_factory=dict)
    custom: dict[str, Seen] = field(default_factory=dict)
    unnamed: int = 0

    def note(self, event: Event) -> None:
        """One event more."""
        if not isinstance(event, CustomActivityRecorded):
            struct = type(event)
            always = always_there(struct)
            names = [name for name in told_in(struct)(event) if name not in always]
            self.events.setdefault(struct.__name__, Seen()).note(event, names)
        elif (name := self._shown(event.name)) is not None:
            self._note_custom(self.custom.setdefault(name, Seen()), event)

    def _note_custom(self, seen: Seen, event: CustomActivityRecorded) -> None:
        told = {
            name: value
            for name, value in properties_of(event).items()
            if not is_empty(value) and self._shown(name) is not None
        }
        seen.note(event, list(told))
        for name, value in told.items():
            seen.kinds.setdefault(name, set()).add(kind_of(value))

    def _shown(self, name: str) -> str | None:
        found = word(name)
        self.unnamed += found == UNNAMED
        return None if found == UNNAMED else found


def draft(source: str, events: Iterable[Event]) -> str:
    """The plan as YAML, with what it is drawn from in comments."""
    sight, count = Sight(), 0
    for event in events:
        sight.note(event)
        count += 1
    head = [
        f"# Drafted from the newest {count} events of {source}. Read it before you keep it: what is in all of",
        f"# {SURE_FROM} events or more is said to be required, and what came once may have been a mistake.",
    ]
    left_out = f"# {sight.unnamed} times a name was left out that may hold somebody's address or number."
    lines = [*head, *([left_out] if sight.unnamed else []), *_group("events", sight.events)]
    return "\n".join([*lines, *_group("custom", sight.custom), "others: flagged", ""])


def kind_of(value: Any) -> Kind:
    """The narrowest kind of what a sender wrote."""
    if isinstance(value, str):
        return next(kind for kind in TEXTS if (fits := fits_of(kind)) and fits(value))
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "whole" if isinstance(value, int) else "number"
    return "list" if isinstance(value, list) else "object"


def _group(title: str, seen: Mapping[str, Seen]) -> Iterator[str]:
    yield f"{title}:" if seen else f"{title}: {{}}"
    for name, each in sorted(seen.items(), key=lambda pair: -pair[1].count)[:EVENTS_MAX]:
        yield f"  {_name(name)}:  # {each.count}"
        if each.known_by and each.identified == each.count >= SURE_FROM:
            yield f"    known_by: [{', '.join(map(_name, sorted(each.known_by - {UNNAMED})))}]"
        if each.fields:
            yield "    fields:"
            yield from (_field(field, each) for field, _ in each.fields.most_common(FIELDS_MAX))
        if len(each.fields) > FIELDS_MAX:
            yield "    others: allowed"


def _field(name: str, seen: Seen) -> str:
    count = seen.fields[name]
    kind = _shared(seen.kinds.get(name, set()))
    told = [f"kind: {kind}"] if kind else []
    if count == seen.count >= SURE_FROM:
        told.append("required: true")
    share = "all" if count == seen.count else f"{count} of {seen.count}"
    return f"      {_name(name)}: {{{', '.join(told)}}}  # in {share}"


def _shared(kinds: set[Kind]) -> Kind | None:
    """The kind that takes all of them; None where any may come."""
    if kinds == {"whole", "number"}:
        return "number"
    if len(kinds) > 1 and kinds <= set(TEXTS):
        return "text"
    return next(iter(kinds)) if len(kinds) == 1 else None


def _name(name: str) -> str:
    """The name as YAML has it."""
    return (
        name
        if _PLAIN.fullmatch(name) and name.lower() not in _NOT_TEXT
        else json.dumps(name, ensure_ascii=False)
    )
