"""An event as `vaart events` shows it, and which events are meant."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from schemas.identifiers import PERSONAL_KINDS
from schemas.meta import Event
from schemas.personal import MASK, mask, masked, paths, shows_people
from schemas.readable import body, instant
from vaart.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Sighting:
    """One event where it stands in Kafka or in the archive. Times are ISO texts, amounts decimal texts."""

    received_at: str
    occurred_at: str
    type: str
    channel: str
    source: str
    source_event_id: str | None
    event_id: str
    key: str
    identifiers: list[dict[str, Any]]
    context: dict[str, str]
    event: dict[str, Any]
    topic: str
    partition: int
    offset: int

    @classmethod
    def of(cls, event: Event, key: str, place: tuple[str, int, int]) -> Self:
        """The event of a Kafka record at this topic, partition and offset."""
        meta = event.meta
        return cls(
            instant(meta.received_at),
            instant(meta.occurred_at),
            type(event).__name__,
            meta.channel,
            meta.source,
            meta.source_event_id or None,
            meta.event_id,
            key,
            [
                {"kind": each.kind, "value": each.value, "verified": each.verified}
                for each in meta.identifiers
            ],
            dict(meta.context),
            body(event),
            *place,
        )

    def masked(self, personal: list[str], *, hides_ids: bool) -> Self:
        """The same without personal data; `personal` are the paths of it in the event."""
        return replace(
            self,
            source_event_id=MASK if hides_ids and self.source_event_id else self.source_event_id,
            identifiers=[each | {"value": MASK} for each in self.identifiers],
            context=masked(self.context),
            event=mask(self.event, personal),
        )

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def line(self) -> str:
        """One line for people; no word of a sender can move the cursor or colour the screen."""
        known = ",".join(f"{each['kind']}:{each['value']}" for each in self.identifiers) or "-"
        fields = json.dumps(self.event, ensure_ascii=False)
        return _printable(
            f"{self.received_at:27} {self.type} {self.channel}/{self.source} {known} {self.event_id} {fields}"
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are meant: those that fit all that is given. An empty word fits all."""

    type: str = ""
    channel: str = ""
    source: str = ""
    event_id: str = ""
    identifier: tuple[str, str] | None = None

    def fits(self, event: Event) -> bool:
        """Whether the event is meant."""
        meta = event.meta
        return (
            self.type in ("", type(event).__name__)
            and self.channel in ("", meta.channel)
            and self.source in ("", meta.source)
            and self.event_id in ("", meta.event_id)
            and (
                self.identifier is None
                or folded(*self.identifier) in [folded(each.kind, each.value) for each in meta.identifiers]
            )
        )


def seen(event: Event, key: str, place: tuple[str, int, int], *, is_clear: bool) -> Sighting:
    """The event as it is to be shown."""
    found = Sighting.of(event, key, place)
    return found if is_clear else found.masked(paths(event), hides_ids=shows_people(event))


def identifier_of(text: str) -> tuple[str, str] | None:
    """`loyalty_card:1234`; None for an empty text. Raises UsageFault."""
    kind, colon, value = text.partition(":")
    if text and not (kind and colon and value):
        raise UsageFault(f"{text!r} is no identifier: write KIND:VALUE, such as loyalty_card:1234")
    return (kind, value) if text else None


def folded(kind: str, value: str) -> tuple[str, str]:
    """Spellings of one e-mail address are equal."""
    return kind, value.strip().lower() if kind in PERSONAL_KINDS else value


def require_type(name: str, known: Mapping[str, type]) -> None:
    """Raises UsageFault, with names that are near, for a type that no public topic carries."""
    from difflib import get_close_matches

    if name and name not in known:
        near = get_close_matches(name, known) or sorted(known)[:3]
        raise UsageFault(f"there is no event type {name!r}: is it {', '.join(near)}?")


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
