"""Tracking plans: what a file may say, which events are flagged, and that a draft holds what a source sent."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from connectors.plans.checking import FLAGS_MAX, OFF_PLAN, Flag, Plan, Planned, checked, word
from connectors.plans.drafting import SURE_FROM, draft
from connectors.plans.fields import told_in
from connectors.plans.form import load
from schemas.events.activity import CustomActivityRecorded, PageViewed, ProductViewed
from schemas.events.baskets import CartLineAdded, CheckoutStarted
from schemas.events.lines import Line
from schemas.events.marketing import MessageStatusReported
from schemas.meta import Event, Identifier, Meta

VISITOR = Identifier("anonymous_id", "8f3b3ac0")
META = Meta(event_id="1", occurred_at=1, received_at=1, channel="web", source="web-nl", identifiers=[VISITOR])
PLAN = """
says: The web team owns it.
events:
  ProductViewed:
    known_by: [anonymous_id, customer_id]
    fields:
      sku: {required: true}
      price: {min: 1, max: 999.95}
      currency: {one_of: [EUR]}
  CartLineAdded: {fields: {line.quantity: {max: 9}}}
  CheckoutStarted: {fields: {lines.sku: {required: true}}, others: allowed}
custom:
  Size Guide Opened:
    fields:
      size: {kind: text, required: true, one_of: [S, M, "NO"]}
      seconds: {kind: number, min: 0}
      shown.at: {kind: time}
      tags: {kind: list}
  Chat Opened:
"""

Loaded = Callable[[str], Plan]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    def load_one(text: str) -> Plan:
        path, faults = tmp_path / "plan.yaml", list[str]()
        path.write_text(text)
        found = load(path, faults.append)
        assert faults == []
        assert found is not None
        return found

    return load_one


@pytest.fixture
def plan(loaded: Loaded) -> Plan:
    return loaded(PLAN)


def viewed(**fields: Any) -> ProductViewed:
    return ProductViewed(**{"meta": META, "sku": "dress-36", **fields})


def custom(name: str, **properties: Any) -> CustomActivityRecorded:
    return CustomActivityRecorded(meta=META, name=name, properties_json=json.dumps(properties))


def line(**fields: Any) -> Line:
    return Line(**{"line_id": "1", "sku": "dress-36", "quantity": 1, "total": 0, **fields})


def added(quantity: int = 1) -> CartLineAdded:
    return CartLineAdded(meta=META, cart_id="c", currency="EUR", line=line(quantity=quantity))


def flags(plan: Plan, event: Event) -> list[tuple[str, str, str]]:
    return [(flag.reason, flag.event, flag.field) for flag in checked(plan, [event])[1]]


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (viewed(price=19_9500, currency="EUR"), []),
        (viewed(sku=None), [("missing", "ProductViewed", "sku")]),
        (viewed(sku=""), [("missing", "ProductViewed", "sku")]),
        (viewed(price=9_999, currency="EUR"), [("not_allowed", "ProductViewed", "price")]),
        (viewed(price=999_9501, currency="EUR"), [("not_allowed", "ProductViewed", "price")]),
        (viewed(price=999_9500, currency="USD"), [("not_allowed", "ProductViewed", "currency")]),
        (viewed(position=3), [("unplanned_field", "ProductViewed", "position")]),
        (
            viewed(meta=Meta(event_id="1", occurred_at=1, received_at=1, channel="web", source="w")),
            [("missing", "ProductViewed", "known_by")],
        ),
        (PageViewed(meta=META), [("unplanned_event", "PageViewed", "")]),
        (added(9), []),
        (added(10), [("not_allowed", "CartLineAdded", "line.quantity")]),
        (custom("Chat Opened"), []),
        (custom("chat opened"), [("unplanned_event", "chat opened", "")]),
        (custom("Chat Opened", by="button"), [("unplanned_field", "Chat Opened", "by")]),
        (custom("Size Guide Opened", size="NO", seconds=2.5, tags=[]), []),
        (custom("Size Guide Opened", size="XL"), [("not_allowed", "Size Guide Opened", "size")]),
        (custom("Size Guide Opened", size=38), [("unfit", "Size Guide Opened", "size")]),
        (custom("Size Guide Opened", size="S", seconds=True), [("unfit", "Size Guide Opened", "seconds")]),
        (
            custom("Size Guide Opened", size="S", seconds=-1),
            [("not_allowed", "Size Guide Opened", "seconds")],
        ),
        (
            custom("Size Guide Opened", size="S", shown={"at": "now"}),
            [("unfit", "Size Guide Opened", "shown.at")],
        ),
        (custom("Size Guide Opened", size="S", shown={"at": "2026-12-01T10:00:00Z"}), []),
        (
            custom("Size Guide Opened", **{"size": "S", "shown.at": 5}),
            [("unfit", "Size Guide Opened", "shown.at")],
        ),
        (custom("Size Guide Opened"), [("missing", "Size Guide Opened", "size")]),
    ],
)
def test_what_is_not_as_planned_is_flagged(
    plan: Plan, event: Event, found: list[tuple[str, str, str]]
) -> None:
    assert flags(plan, event) == found


def test_every_item_of_a_list_is_looked_at_and_each_fault_told_once(plan: Plan) -> None:
    lines = [line(), line(sku=""), line(sku="")]
    started = CheckoutStarted(meta=META, checkout_id="c", currency="EUR", lines=lines, total=1)
    assert flags(plan, started) == [("missing", "CheckoutStarted", "lines.sku")]


def test_events_are_kept_and_the_mark_stands_in_their_context(plan: Plan) -> None:
    good, bad = viewed(), viewed(sku=None, position=1)
    events, found = checked(plan, [good, bad])
    assert events[0] is good
    assert events[1].meta.context == {OFF_PLAN: "missing sku, unplanned_field position"}
    assert events[1].meta.event_id == bad.meta.event_id
    assert len(found) == 2


def test_without_a_plan_nothing_is_looked_at() -> None:
    events: list[Event] = [viewed(sku=None)]
    assert checked(None, events) == (events, [])
    assert checked(None, events)[0] is events


def test_other_events_need_no_plan_where_it_says_so(loaded: Loaded) -> None:
    assert flags(loaded("others: allowed"), PageViewed(meta=META)) == []
    assert flags(loaded(""), PageViewed(meta=META)) != []


def test_names_that_may_be_somebodys_are_not_told_and_their_number_is_bounded(plan: Plan) -> None:
    told = {"ann@one.example": 1, "+31612345678": 1, "user_31612345678": 1, "a, (b)": 1, "größe": 1}
    found = flags(plan, custom("Chat Opened", **told))
    assert {field for _, _, field in found} == {"?", "größe"}
    many = {f"{chr(97 + each % 26) * (1 + each // 26)}": 1 for each in range(500)}
    assert len(flags(plan, custom("Chat Opened", **many))) == FLAGS_MAX
    endless = Planned((), frozenset(), lambda _: (f"a{'b' * each}" for each in count()))
    assert len(flags(Plan({PageViewed: endless}, {}), PageViewed(meta=META))) == FLAGS_MAX
    assert flags(plan, custom("ann@one.example")) == [("unplanned_event", "?", "")]


@pytest.mark.parametrize("properties", ["", "[]", "[" * 100_000, "nothing"])
def test_properties_that_are_none_are_missing(plan: Plan, properties: str) -> None:
    event = CustomActivityRecorded(meta=META, name="Size Guide Opened", properties_json=properties)
    assert flags(plan, event) == [("missing", "Size Guide Opened", "size")]


def test_every_fault_of_a_plan_is_said_with_what_was_perhaps_meant(tmp_path: Path) -> None:
    path, faults = tmp_path / "plan.yaml", list[str]()
    path.write_text(
        """
events:
  ProductVewed: {}
  CustomActivityRecorded: {}
  ProductViewed:
    fields:
      skuu: {}
      price: {kind: text}
      position: {one_of: [x]}
      list_id: {min: 1}
      currency: {one_of: [EUR, NO]}
  CartLineAdded: {fields: {line.quantty: {}, line.quantity: {min: 2, max: 1}}}
custom:
  Chat Opened: {fields: {how: {kind: object, one_of: [a]}}}
"""
    )
    assert load(path, faults.append) is None
    told = "\n".join(faults)
    for part in (
        f"{path}: events.ProductVewed: is no event that sources send; did you mean ProductViewed?",
        "events.CustomActivityRecorded: what has no type of ours stands under `custom`",
        "events.ProductViewed.fields.skuu: there is no skuu in it; did you mean sku?",
        "events.ProductViewed.fields.price: it is of the kind amount",
        "events.ProductViewed.fields.position: one_of holds what is no whole",
        "events.ProductViewed.fields.list_id: min and max are for numbers",
        "events.ProductViewed.fields.currency: one_of holds what is no text; YAML reads NO",
        "events.CartLineAdded.fields.line.quantty: there is no quantty in it; did you mean quantity?",
        "events.CartLineAdded.fields.line.quantity: min is more than max",
        "custom.Chat Opened.fields.how: one_of is for texts and whole numbers",
    ):
        assert part in told, told
    assert len(faults) == 10


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("events: [", "is not YAML at line 1"),
        ("\x00", "is not YAML"),
        ("event: {}", "event: Extra inputs"),
        ("events: {ProductViewed: {fields: {sku: {kind: string}}}}", "fields.sku.kind"),
        ("#" * (1 << 20) + "\n", "has more than"),
        ("just words", "valid dictionary"),
    ],
)
def test_what_a_plan_may_not_hold(tmp_path: Path, text: str, part: str) -> None:
    path, faults = tmp_path / "plan.yaml", list[str]()
    path.write_text(text)
    assert load(path, faults.append) is None
    assert part in "\n".join(faults)


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    faults: list[str] = []
    assert load(tmp_path / "none.yaml", faults.append) is None
    assert "cannot be read" in faults[0]


def test_a_draft_says_what_was_sent_and_no_value(loaded: Loaded) -> None:
    events: list[Event] = [viewed(sku=f"secret-{each}", price=1, currency="EUR") for each in range(SURE_FROM)]
    events += [viewed(sku=None, product_id="p"), added(), PageViewed(meta=META), custom("Once", x=1)]
    events += [custom("Size Guide Opened", size="hush", seconds=each) for each in range(1, SURE_FROM)]
    events += [custom("Size Guide Opened", size="hush", seconds=2.5, **{"ann@one.example": 1})]
    text = draft("web-nl", events)
    assert "price: {}  # in 10 of 11" in text
    assert "size: {kind: text, required: true}  # in all" in text
    assert "seconds: {kind: number, required: true}  # in all" in text
    assert "x: {kind: whole}  # in all" in text
    assert "known_by: [anonymous_id]" in text
    assert "1 times a name was left out" in text
    assert not any(value in text for value in ("secret", "hush", "ann", VISITOR.value))
    drafted = loaded(text)
    assert [flag for event in events[:-1] for flag in checked(drafted, [event])[1]] == []


NAMES = some.text(min_size=1, max_size=12) | some.sampled_from(
    ["no", "On", "1.5", "null", "a: b", "a#b", "a.b"]
)
VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-99, 99)
    | some.floats(allow_nan=False)
    | some.text(max_size=9),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60)
@given(some.lists(some.tuples(NAMES, some.dictionaries(NAMES, VALUES, max_size=4)), min_size=1, max_size=14))
def test_what_a_draft_was_made_of_is_as_it_says(
    tmp_path_factory: pytest.TempPathFactory, sent: list[tuple[str, dict[str, Any]]]
) -> None:
    events: list[Event] = [custom(name, x=1) if not told else custom_of(name, told) for name, told in sent]
    path, faults = tmp_path_factory.getbasetemp() / "drafted.yaml", list[str]()
    path.write_text(draft("web-nl", events))
    plan = load(path, faults.append)
    assert faults == []
    shown = [
        flag for event in events for flag in checked(plan, [event])[1] if "?" not in (flag.event, flag.field)
    ]
    assert shown == [], path.read_text()


def custom_of(name: str, told: dict[str, Any]) -> CustomActivityRecorded:
    return CustomActivityRecorded(meta=META, name=name, properties_json=json.dumps(told))


@given(some.text(max_size=80))
def test_a_name_that_is_told_is_one_word_of_a_verdict(name: str) -> None:
    from connectors.gateway.verdicts import read, words
    from connectors.protocol.channel import Verdict

    flag = Flag("unplanned_field", word(name), word(name))
    assert read(words(Verdict([viewed()]), 3, [flag, flag])).off_plan == {flag: 2}


def test_the_example_is_read(loaded: Loaded) -> None:
    path = Path(__file__).parents[3] / "deploy" / "examples" / "plans" / "web-shop.yaml"
    plan = loaded(path.read_text())
    assert flags(plan, viewed(currency="EUR", price=1_0000)) == []
    assert flags(plan, custom("Size Guide Opened", size="XXL", sku="a")) == [
        ("not_allowed", "Size Guide Opened", "size")
    ]


def test_what_is_as_it_is_by_default_is_not_said() -> None:
    sent = MessageStatusReported(meta=META, message_id="m", medium="email", status="opened")
    assert "is_machine" not in set(told_in(type(sent))(sent))
    by_machine = msgspec.structs.replace(sent, is_machine=True)
    assert "is_machine" in set(told_in(type(sent))(by_machine))
