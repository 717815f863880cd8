"""How rows become one kind of event: a mapping's words in the shape of the event's schema, or all that is wrong."""

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.files.columns import TEXT
from connectors.files.faults import Place
from connectors.files.forms import EventForm, Word

Scope = Literal["group", "row"]


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One value, one a group or one a row. `fallback` stands where it is empty; one that is `required` may not be."""

    place: Place
    kind: str
    word: Word
    scope: Scope
    required: bool = False
    fallback: Any = None

    @property
    def column(self) -> str:
        """What to name when a row does not fit: the column, or the columns, or the field."""
        return ", ".join(self.word.names) or ".".join(str(part) for part in self.place[2:])


@dataclass(frozen=True, slots=True, eq=False)
class Struct:
    """A struct of its parts. It is left out where the part `unless_empty` is empty."""

    type: type
    parts: AnyMapping[str, "Node"]
    unless_empty: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A map; entries that are empty are left out."""

    parts: AnyMapping[str, "Node"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A list with one item for each row of the group; items that are empty are left out."""

    item: "Node"


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list of these items; those that are empty are left out."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class EventId:
    """The id that follows from source, event type and business id."""

    source: str
    event_type: str
    business_id: Leaf


Node = Leaf | Struct | Entries | Rows | Items | EventId


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One kind of event of one table: what to make (`event`), when it happened, by what rows belong together."""

    index: int
    form: EventForm
    event: Struct
    at: Leaf
    key: tuple[Leaf, ...]

    @property
    def name(self) -> str:
        """The event's type."""
        return self.form.event

    @property
    def leaves(self) -> list[Leaf]:
        """Every value that is made, the group's own columns first."""
        return [*self.key, *leaves(self.event)]


def leaves(node: Node) -> Iterator[Leaf]:
    """Every value below."""
    match node:
        case Leaf():
            yield node
        case EventId():
            yield node.business_id
        case Rows():
            yield from leaves(node.item)
        case Items():
            for item in node.items:
                yield from leaves(item)
        case Struct() | Entries():
            for part in node.parts.values():
                yield from leaves(part)


def key_leaf(name: str, word: Word) -> Leaf:
    """A column that says which rows belong together: the same in all of them, and never empty."""
    return Leaf((name,), TEXT, word, "group", required=True)
