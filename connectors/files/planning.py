"""Check a mapping's events against their schemas, and lay down how each is made."""

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from typing import Any

import msgspec

from connectors.files import forms
from connectors.files.columns import AMOUNT, DAY, FLAG, INSTANT, INTEGER, TEXT, Misfit, one
from connectors.files.faults import Faults, Place, closest
from connectors.files.forms import Column, Constant, Mapping
from connectors.files.plan import (
    Entries,
    EventId,
    Items,
    Leaf,
    Node,
    Plan,
    Rows,
    Scope,
    Struct,
    key_leaf,
    leaves,
)
from connectors.files.wording import Spot, Words
from schemas.avsc import schema_of
from schemas.meta import Event, Identifier, Meta
from schemas.resolution import Types, kind_of, unit_of
from schemas.shapes import item_of, members_of, present
from schemas.topics import TOPICS

EVENT_TYPES: dict[str, type[Event]] = {
    each.__name__: each
    for topic in TOPICS
    if topic.is_input
    for each in topic.events
    if issubclass(each, Event)
}
"""What a mapping may make: every event that channels publish."""

_KINDS = {
    ("string", None): TEXT,
    ("string", "uuid"): TEXT,
    ("int", None): INTEGER,
    ("long", None): INTEGER,
    ("int", "date"): DAY,
    ("long", "timestamp-micros"): INSTANT,
    ("bytes", "decimal"): AMOUNT,
    ("boolean", None): FLAG,
}


def plans(
    mapping: Mapping, faults: Faults, given: AnyMapping[str, Any] | None = None, received_at: int = 0
) -> list[Plan]:
    """How each kind of event is made. `given` None: only check, whatever will be handed in. Faults are noted."""
    found = []
    for name in mapping.given:
        if given is not None and name not in given:
            faults.add(("given",), f"{name} is not handed in: add --given {name}=VALUE")
    _check_zones(mapping, faults)
    for index, form in enumerate(mapping.events):
        event_type = EVENT_TYPES.get(form.event)
        if event_type is None:
            faults.add(
                ("events", index, "event"), f"{form.event} is no event" + closest(form.event, EVENT_TYPES)
            )
            continue
        found.append(_Planner(mapping, index, event_type, given, received_at, faults).plan())
    return found


def _check_zones(mapping: Mapping, faults: Faults) -> None:
    zones: list[tuple[Place, str]] = [(("zone",), mapping.zone)]
    for table, form in mapping.tables.items():
        for name, column in form.columns.items():
            if column.zone:
                zones.append((("tables", table, "columns", name, "zone"), column.zone))
    for place, zone in zones:
        try:
            one("2017-01-01T00:00:00", INSTANT, zone)
        except Misfit:
            faults.add(place, f"{zone} is no time zone: write it like Europe/Amsterdam, or UTC")


class _Planner:
    """Plans one event. A wrong word is noted and counts as an empty constant, so that all faults show at once."""

    def __init__(
        self,
        mapping: Mapping,
        index: int,
        event_type: type[Event],
        given: AnyMapping[str, Any] | None,
        received_at: int,
        faults: Faults,
    ) -> None:
        self._mapping = mapping
        self._form = mapping.events[index]
        self._index = index
        self._type = event_type
        self._words = Words(mapping, self._form, given, faults)
        self._received_at = received_at
        self._faults = faults
        self._types = Types(schema_of(event_type))

    def plan(self) -> Plan:
        form, at = self._form, ("events", self._index)
        self._check_table()
        when = self._words.leaf(form.at, INSTANT, Spot((*at, "at"), "group", required=True))
        schema = schema_of(self._type)
        fields = self._parts(schema, self._type, form.fields, (*at, "fields"), "group", without="meta")
        event = Struct(self._type, {"meta": self._meta(when), **fields})
        key = tuple(key_leaf(name, Column(column=name)) for name in form.group)
        return Plan(self._index, form, event, when, key)

    def _check_table(self) -> None:
        tables, at = self._mapping.tables, ("events", self._index)
        own = [((*at, "group"), name) for name in self._form.group]
        for place, name in [*own, *(((*at, "where", name), name) for name in self._form.where)]:
            if forms.JOINED in name:
                self._note(place, f"takes a column of {self._form.table} itself, not {name}")
        if tables and self._form.table not in tables:
            self._note(
                ("events", self._index, "table"),
                f"{self._form.table} is not under tables" + closest(self._form.table, tables),
            )

    def _meta(self, when: Leaf) -> Struct:
        form, at = self._form, ("events", self._index)
        business_id = self._words.leaf(form.id, TEXT, Spot((*at, "id"), "group", required=True))
        parts: dict[str, Node] = {
            "event_id": EventId(self._mapping.source, form.event, business_id),
            "occurred_at": when,
            "received_at": Leaf((), INSTANT, Constant(constant=self._received_at), "group"),
            "channel": self._constant(form.channel or self._mapping.channel),
            "source": self._constant(self._mapping.source),
        }
        if form.identifiers:
            parts["identifiers"] = Items(tuple(self._identifier(i) for i in range(len(form.identifiers))))
        if form.context:
            parts["context"] = self._entries(
                TEXT, form.context, Spot((*at, "context"), "group", required=False)
            )
        return Struct(Meta, parts)

    def _identifier(self, index: int) -> Struct:
        form = self._form.identifiers[index]
        place = ("events", self._index, "identifiers", index, "value")
        value = self._words.leaf(form.value, TEXT, Spot(place, "group", required=False))
        parts = {"kind": self._constant(form.kind), "value": value, "verified": self._constant(form.verified)}
        return Struct(Identifier, parts, unless_empty="value")

    def _parts(
        self, schema: Any, struct: type, tree: Any, place: Place, scope: Scope, without: str = ""
    ) -> dict[str, Node]:
        if not isinstance(tree, dict):
            self._note(place, "takes the fields " + ", ".join(each["name"] for each in schema["fields"]))
            return {}
        members = members_of(struct)
        fields = {each["name"]: each for each in schema["fields"] if each["name"] != without}
        for name in tree.keys() - fields.keys():
            self._note((*place, name), f"{struct.__name__} has no field {name}" + closest(str(name), fields))
        for name, each in fields.items():
            if name not in tree and "default" not in each:
                self._note(place, f"{struct.__name__} needs {name}: say where it comes from")
        made = {}
        for name, each in fields.items():
            if name in tree:
                attribute, shape = members[name]
                made[attribute] = self._node(
                    each["type"], shape, tree[name], self._spot(struct, each, (*place, name), scope)
                )
        return made

    def _spot(self, struct: type, each: Any, place: Place, scope: Scope) -> Spot:
        member, _ = members_of(struct)[each["name"]]
        info = next(info for info in msgspec.structs.fields(struct) if info.name == member)
        fallback = None if info.default is msgspec.NODEFAULT else info.default
        is_nullable = kind_of(self._types.resolved(each["type"])) == "union"
        return Spot(place, scope, not is_nullable and fallback is None, fallback)

    def _node(self, schema: Any, shape: Any, tree: Any, spot: Spot) -> Node:
        schema = self._types.resolved(schema)
        match kind_of(schema):
            case "union":
                return self._node(next(each for each in schema if each != "null"), present(shape), tree, spot)
            case "record":
                return Struct(
                    present(shape), self._parts(schema, present(shape), tree, spot.place, spot.scope)
                )
            case "map":
                return self._entries(self._kind(schema["values"], spot), tree, spot)
            case "array":
                return self._list(schema["items"], item_of(shape), tree, spot)
        return self._words.leaf(tree, self._kind(schema, spot), spot)

    def _list(self, schema: Any, shape: Any, tree: Any, spot: Spot) -> Node:
        """A list in the mapping is a list of these; anything else is made once for each row."""
        if isinstance(tree, list):
            each = [(item, Spot((*spot.place, i), spot.scope, required=False)) for i, item in enumerate(tree)]
            return Items(tuple(self._node(schema, shape, item, at) for item, at in each))
        return Rows(self._node(schema, shape, tree, Spot(spot.place, "row", required=False)))

    def _entries(self, kind: str, tree: Any, spot: Spot) -> Entries:
        if not isinstance(tree, dict):
            self._note(spot.place, "takes names, each with where its value comes from")
            return Entries({})
        at = {str(key): Spot((*spot.place, str(key)), spot.scope, required=False) for key in tree}
        return Entries({str(key): self._words.leaf(value, kind, at[str(key)]) for key, value in tree.items()})

    def _kind(self, schema: Any, spot: Spot) -> str:
        schema = self._types.resolved(schema)
        kind = "string" if kind_of(schema) == "enum" else kind_of(schema)
        found = _KINDS.get((kind, unit_of(schema)))
        if found is None:
            self._note(spot.place, f"no column can become {kind}: leave it out")
        return found or TEXT

    def _constant(self, value: str | bool) -> Leaf:
        return Leaf((), FLAG if isinstance(value, bool) else TEXT, Constant(constant=value), "group")

    def _note(self, place: Place, what: str) -> None:
        self._faults.add(place, what)


def columns_of(plan: Plan) -> Iterator[tuple[Place, str]]:
    """Every column that the plan needs, and the place of the mapping that asks for it."""
    top: Place = ("events", plan.index)
    for leaf in leaves(plan.event):
        for name in leaf.word.names:
            yield leaf.place, name
    for name in plan.form.group:
        yield (*top, "group"), name
    for name in plan.form.where:
        yield (*top, "where", name), name
