"""What the clients of pages and apps say, value by value: who, when, where, how much."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from connectors.channels import ga4 as ga4_channel
from connectors.channels import rudderstack as rudder_channel
from connectors.channels import segment as segment_channel
from connectors.channels import snowplow as snowplow_channel
from connectors.protocol.channel import Challenge, Channel, Malformed, Request, Source, Verdict
from connectors.vendors.web.addresses import Addresses
from connectors.vendors.web.campaigns import referrer_class
from schemas.events.activity import (
    CampaignTouched,
    CustomActivityRecorded,
    CustomerIdentified,
    IdentifiersLinked,
    PageViewed,
    ProductViewed,
    ScreenViewed,
    TraitsChanged,
)
from schemas.events.baskets import CartLineAdded, CartReported
from schemas.events.lines import Totals
from schemas.events.orders import OrderCancelled, OrderPlaced, RefundIssued
from schemas.meta import Event, Identifier
from schemas.topics import route
from tests.connectors.channels.samples import calls, ga4, rudderstack, segment, snowplow
from tests.connectors.channels.sampling import RECEIVED_AT, post

SECOND_US = 1_000_000
CLEAN = "https://shop.example/dresses?utm_source=instagram&gclid=Cj0KCQ"
E = TypeVar("E", bound=Event)


def verdict(request: Request, channel: Channel = segment_channel.CHANNEL, **source: Any) -> Verdict:
    samples = {"ga4": ga4.SAMPLES, "snowplow": snowplow.SAMPLES}.get(channel.name, segment.SAMPLES)
    signed = samples.sign(request, samples.secret)
    found = channel.receive(signed, replace(samples.source, **source))
    assert isinstance(found, Verdict), found
    return found


def one(kind: type[E], request: Request, channel: Channel = segment_channel.CHANNEL, **source: Any) -> E:
    events = [event for event in verdict(request, channel, **source).events if isinstance(event, kind)]
    assert len(events) == 1
    return events[0]


def track(name: str, said: dict[str, Any], **more: Any) -> Request:
    return segment.alone("/v1/t", calls.call("track", event=name, properties=said, **more))


def test_a_page_keeps_of_its_address_what_names_a_campaign_and_nothing_that_names_a_person() -> None:
    request = segment.alone("/v1/p", calls.call("page"))
    viewed, touched = one(PageViewed, request), one(CampaignTouched, request)
    assert (viewed.url, viewed.path, viewed.title) == (CLEAN, "/dresses", "Dresses")
    assert viewed.referrer == "https://www.google.com/search?q=dress"
    assert (touched.source, touched.campaign, touched.medium) == ("instagram", "winter", None)
    assert (touched.click_id_kind, touched.click_id, touched.referrer_class) == ("gclid", "Cj0KCQ", "search")
    assert (touched.landing_url, touched.meta.context["page"]) == (CLEAN, CLEAN)
    for event in (viewed, touched):
        assert "203.0.113.7" not in repr(event)
        assert "secret" not in repr(event)


def test_an_operator_says_which_parameters_stay() -> None:
    request = segment.alone("/v1/p", calls.call("page"))
    viewed = one(PageViewed, request, options={"query_parameters": "size, gcl*"})
    assert viewed.url == "https://shop.example/dresses?gclid=Cj0KCQ"


@pytest.mark.parametrize(
    ("address", "cleaned"),
    [
        ("https://sam:hush@shop.example:8443/a?email=s%40x.nl&UTM_Source=a+b#t=1", "https://shop.example:8443/a?UTM_Source=a+b"),
        ("/only/a/path?token=1", "/only/a/path"),
        ("android-app://com.google.android.gm/", "android-app://com.google.android.gm/"),
        ("$direct", None), ("", None), (None, None), ("about:blank", None), ("javascript:alert(1)", None),
        ("data:text/html,x", None), ("http://[::1", None), ("https://shop.example/?" + "a=1&" * 500, "https://shop.example/"),
    ],
)  # fmt: skip
def test_an_address_is_cleaned(address: str | None, cleaned: str | None) -> None:
    assert Addresses(Source("web")).cleaned(address) == cleaned


@pytest.mark.parametrize(
    ("referrer", "is_a"),
    [
        (None, "direct"), ("https://shop.example/a", "internal"), ("https://www.google.co.uk/", "search"),
        ("https://t.co/x", "social"), ("https://l.instagram.com/", "social"), ("https://blog.example/", "referral"),
    ],
)  # fmt: skip
def test_a_referrer_is_of_a_class(referrer: str | None, is_a: str) -> None:
    assert referrer_class(referrer, "https://www.shop.example/") == is_a


def test_properties_are_kept_as_they_came_but_for_addresses() -> None:
    said = {
        "n": 1.10,
        "big": 9007199254740993,
        "at": {"url": "https://a.example/?token=1", "search": "?token=1&q=a"},
        "none": None,
        "text": "?!",
    }
    recorded = one(CustomActivityRecorded, track("Seen", said))
    assert recorded.properties_json == (
        '{"at":{"search":"?q=a","url":"https://a.example/"},"big":9007199254740993,"n":1.1,"none":null,"text":"?!"}'
    )


def test_a_clock_that_is_wrong_is_put_right_by_what_it_says_of_the_sending() -> None:
    """The client is a day ahead, and the click was 5 seconds before it was sent."""
    said = calls.call("track", event="Seen", timestamp="2025-11-26T12:00:00.250+01:00")
    request = segment.sent("/v1/t", {**said, "sentAt": "2025-11-26T11:00:05.250Z"})
    meta = one(CustomActivityRecorded, request).meta
    assert RECEIVED_AT - meta.occurred_at == 5 * SECOND_US
    assert meta.context["occurred_at_raw"] == str(RECEIVED_AT + (25 * 3600 + 250) * SECOND_US - 249_750_000)


@pytest.mark.parametrize("place", ["batch", "header", "call"])
def test_when_it_was_sent_stands_in_one_of_three_places(place: str) -> None:
    sent_at = "2025-11-25T09:50:10.000Z"
    said = calls.call("track", event="Seen", timestamp="2025-11-25T09:50:00.000000+00:00")
    told = {**said, "sentAt": sent_at} if place == "call" else said
    around = {"sentAt": sent_at} if place == "batch" else {}
    headers = {"sentat": sent_at} if place == "header" else {}
    request = segment.sent("/v1/batch", {"batch": [told], **around}, **headers)
    assert RECEIVED_AT - one(CustomActivityRecorded, request).meta.occurred_at == 10 * SECOND_US


@pytest.mark.parametrize("timestamp", [None, "", "soon", 10**30])
def test_without_a_time_it_is_now(timestamp: object) -> None:
    request = segment.sent("/v1/t", calls.call("track", event="Seen", timestamp=timestamp))
    assert one(CustomActivityRecorded, request).meta.occurred_at == RECEIVED_AT


def test_another_attempt_is_the_same_event_though_it_says_another_time_of_sending() -> None:
    said = {"type": "track", "event": "Seen", "anonymousId": "a", "timestamp": "2025-11-25T09:50:00Z"}
    first = segment.sent(
        "/v1/batch", {"batch": [{**said, "sentAt": "2025-11-25T09:50:01Z", "_metadata": {"n": 1}}]}
    )
    again = segment.sent(
        "/v1/batch", {"batch": [{**said, "sentAt": "2025-11-25T09:55:01Z", "writeKey": "k"}]}
    )
    ids = {one(CustomActivityRecorded, each).meta.event_id for each in (first, again)}
    assert len(ids) == 1


def test_who_it_is() -> None:
    identified = one(CustomerIdentified, segment.alone("/v1/i", calls.IDENTIFY))
    assert identified.meta.identifiers == [
        Identifier("customer_id", "web-nl:97980cfea0067"),
        Identifier("email", "sam@example.com"),
        Identifier("phone", "+31612345678"),
        Identifier("anonymous_id", calls.ANONYMOUS),
    ]
    assert identified.traits == {
        "email": "Sam@Example.com",
        "phone": "06 12345678",
        "address.city": "Haarlem",
    }
    assert one(TraitsChanged, segment.alone("/v1/i", calls.IDENTIFY)).removed == ["plan"]


def test_traits_of_rudderstack_stand_in_the_context() -> None:
    request = rudderstack.sent(
        "/v1/identify", {**rudderstack.NAMED, "context": {"traits": calls.IDENTIFY["traits"]}}
    )
    identified = one(CustomerIdentified, request, rudder_channel.CHANNEL)
    assert identified.traits["address.city"] == "Haarlem"
    assert Identifier("email", "sam@example.com") in identified.meta.identifiers


def test_an_address_as_a_customer_id_does_not_show_in_a_key() -> None:
    recorded = one(CustomActivityRecorded, track("Seen", {}, userId="Sam@Example.com", anonymousId=None))
    assert recorded.meta.identifiers == [Identifier("email", "sam@example.com")]
    assert "sam" not in route(recorded, "hush")[1]


def test_ids_are_texts_as_they_were() -> None:
    recorded = one(CustomActivityRecorded, track("Seen", {}, userId="007"))
    assert recorded.meta.identifiers[0].value == "web-nl:007"
    recorded = one(CustomActivityRecorded, track("Seen", {}, userId=9007199254740993))
    assert recorded.meta.identifiers[0].value == "web-nl:9007199254740993"
    recorded = one(CustomActivityRecorded, track("Seen", {}, userId="null"))
    assert recorded.meta.identifiers[0].value == "web-nl:null"


def test_an_alias_links_a_visitor_or_an_older_customer_id() -> None:
    linked = one(IdentifiersLinked, segment.alone("/v1/a", calls.ALIAS))
    assert linked.from_identifier == Identifier("anonymous_id", calls.ANONYMOUS)
    older = one(IdentifiersLinked, segment.alone("/v1/a", {**calls.ALIAS, "previousId": "old-1"}))
    assert older.from_identifier == Identifier("customer_id", "web-nl:old-1")
    assert older.to_identifier == Identifier("customer_id", "web-nl:507f191e81")


def test_an_order_as_the_ecommerce_spec_has_it() -> None:
    order = one(OrderPlaced, track("Order Completed", calls.ORDER, userId="97980"))
    assert order.totals == Totals(total=425_000, tax=20_000, shipping=55_000, is_tax_included=False)
    assert [(line.line_id, line.quantity, line.total) for line in order.lines] == [
        ("dress-36", 1, 190_000),
        ("scarf", 2, 160_000),
    ]
    assert (order.currency, order.coupon_codes) == ("EUR", ["WELKOM"])
    assert order.customer is not None
    assert order.customer.customer_id == "97980"
    again = one(OrderPlaced, track("Order Completed", calls.ORDER, messageId="another", userId="97980"))
    assert again.meta.event_id == order.meta.event_id


def test_an_order_without_a_total_costs_what_its_lines_cost() -> None:
    said = {
        "order_id": "1",
        "products": [{"sku": "a", "price": "10", "quantity": 2}, {"sku": "a", "price": 1}],
        "tax": 4,
    }
    order = one(OrderPlaced, track("Order Completed", said))
    assert (order.totals.total, order.totals.is_tax_included) == (250_000, False)
    assert [line.line_id for line in order.lines] == ["a", "a:2"]


def test_orders_that_the_shop_itself_reports_are_not_counted_twice() -> None:
    elsewhere = {"orders": "elsewhere"}
    for name in ("Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"):
        assert one(CustomActivityRecorded, track(name, calls.ORDER), options=elsewhere).name == name
    said = {**ga4.BUYING, "transaction_id": "T_1"}
    request = ga4.sent({"name": "purchase", "params": said})
    assert one(CustomActivityRecorded, request, ga4_channel.CHANNEL, options=elsewhere)


def test_prices_that_a_page_divided_are_rounded_to_the_fourth_digit() -> None:
    viewed = one(ProductViewed, track("Product Viewed", {"sku": "a", "price": 19.95 / 1.21}))
    assert (viewed.price, viewed.currency) == (164_876, "EUR")


@pytest.mark.parametrize(
    ("name", "said", "detail"),
    [
        ("Product Viewed", {"name": "Dress"}, "a product has neither `sku` nor `product_id`"),
        ("Product Added", {"sku": "a", "price": "€ 5"}, '`price` must be an amount, such as "19.95"'),
        ("Product Added", {"sku": "a", "quantity": 0}, "`quantity` must be 1 or more"),
        ("Product Added", {"sku": "a", "quantity": 0.5}, "`quantity` must be a whole number"),
        ("Order Completed", {"total": 1}, "`order_id` is missing"),
        ("Order Refunded", {"order_id": "1"}, "a refund has neither `total` nor products with a price"),
        ("Products Searched", {"query": True}, "`query` is missing"),
    ],
)
def test_what_lacks_what_it_must_say_is_put_aside(name: str, said: dict[str, Any], detail: str) -> None:
    found = verdict(track(name, said))
    assert [reject.detail for reject in found.rejects] == [detail]
    assert found.events == []


def test_without_a_currency_it_says_which_setting_helps() -> None:
    request = track("Product Added", {"sku": "a", "price": 1})
    assert "set `currency`" in verdict(request, currency=None).rejects[0].detail


def test_a_cart_without_a_name_is_the_visitors_own() -> None:
    added = one(CartLineAdded, track("Product Added", {"sku": "a", "price": 2, "quantity": 3}))
    assert (added.cart_id, added.line.total, added.line.unit_price) == (calls.ANONYMOUS, 60_000, 20_000)
    viewed = verdict(track("Cart Viewed", {}))
    assert [type(event).__name__ for event in viewed.events] == ["CustomActivityRecorded"]
    empty = one(CartReported, track("Cart Viewed", {"products": []}))
    assert (empty.lines, empty.total) == ([], 0)


def test_a_refund_and_a_cancellation_name_their_order() -> None:
    said = {"order_id": "1", "products": [{"sku": "a", "price": 2, "quantity": 3}]}
    refund = one(RefundIssued, track("Order Refunded", said))
    assert (refund.order_id, refund.amount, refund.lines[0].quantity) == ("1", 60_000, 3)
    assert one(OrderCancelled, track("Order Cancelled", {**said, "reason": "late"})).reason == "late"


def test_an_app_is_not_the_web() -> None:
    screen = one(ScreenViewed, segment.alone("/v1/s", calls.SCREEN))
    assert (screen.name, screen.app_version, screen.meta.channel) == ("Home", "545", "app")
    assert one(PageViewed, segment.alone("/v1/p", calls.call("page"))).meta.channel == "web"


def test_a_batch_says_of_all_its_calls_what_they_do_not_say_themselves() -> None:
    told = [calls.call("page", context={"locale": None, "timezone": "UTC"}, messageId="1")]
    viewed = one(PageViewed, segment.batch(*told, context=calls.CONTEXT))
    assert (viewed.url, viewed.meta.context["locale"], viewed.meta.context["timezone"]) == (
        CLEAN,
        "nl-NL",
        "UTC",
    )


def test_php_writes_what_is_empty_as_a_list() -> None:
    empty: dict[str, Any] = {"properties": [], "traits": [], "context": []}
    found = verdict(segment.batch(calls.call("track", event="Seen", **empty), context=[], sentAt={}))
    assert [type(event).__name__ for event in found.events] == ["CustomActivityRecorded"]
    assert one(CustomActivityRecorded, ga4.sent({"name": "tap", "params": []}), ga4_channel.CHANNEL)


def test_the_write_key_stands_in_many_places() -> None:
    document = {"type": "track", "event": "Seen"}
    packed = base64.b64encode(json.dumps({"writeKey": "k"}).encode()).decode()
    asked = (
        segment.sent("/v1/t", document, authorization="Basic " + base64.b64encode(b"k:").decode()),
        segment.sent("/v1/t", document, authorization="basic " + base64.b64encode(b"k").decode()),
        replace(segment.sent("/v1/t", document), query=(("writeKey", "k"),)),
        segment.sent("/v1/t", {**document, "writeKey": "k"}),
        segment.sent("/v1/t", {**document, "writeKey": "k"}, authorization="Bearer token"),
        segment.sent("/v1/b", {"batch": [{**document, "writeKey": "k"}]}),
        replace(post(gzip.compress(json.dumps({**document, "writeKey": "k"}).encode()), "/v1/t")),
        segment.got("/v1/pixel/track", data=packed),
        segment.got("/v1/pixel/track", writeKey="k"),
        segment.got("/v1/projects/k/settings"),
    )
    assert [segment_channel.key_of(each) for each in asked] == ["k"] * len(asked)
    for body in (b"", b"[]", b"{", b'{"batch":[]}', b'{"batch":[1]}', b'{"writeKey":1}', b"\x1f\x8bno"):
        assert segment_channel.key_of(post(body, "/v1/t", authorization="Basic §")) is None


def test_gzip_that_would_burst_is_no_document() -> None:
    found = segment_channel.receive(post(gzip.compress(b" " * 5_000_000), "/v1/t"), Source("web"))
    assert isinstance(found, Malformed)
    assert "4194304" in found.detail


@pytest.mark.parametrize("depth", [100, 300, 900, 5_000])
def test_what_is_nested_deep_is_no_document(depth: int) -> None:
    body = b'{"type":"track","event":"a","properties":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    assert isinstance(segment_channel.receive(post(body, "/v1/t"), Source("web")), Malformed)


@pytest.mark.parametrize(
    ("url", "host", "protocol"),
    [
        ("https://in.example/v1/projects/k/settings", "in.example/v1", "https"),
        ("http://localhost:8080/v1/projects/k/settings?v=1", "localhost:8080/v1", "http"),
        ("https://in.example/in/segment/web/v1/projects/k/settings", "in.example/in/segment/web/v1", "https"),
    ],
)
def test_a_browser_is_told_to_send_where_it_asked(url: str, host: str, protocol: str) -> None:
    request = replace(segment.got("/v1/projects/k/settings"), public_url=url)
    found = segment_channel.receive(request, Source("web"))
    assert isinstance(found, Challenge)
    told = json.loads(found.answer.body)["integrations"]["Segment.io"]
    assert told == {"apiKey": "k", "apiHost": host, "protocol": protocol}


def test_rudderstack_is_told_to_send_to_nobody_else() -> None:
    found = rudder_channel.receive(rudderstack.got("/sourceConfig/", writeKey="k"), Source("web-nl"))
    assert isinstance(found, Challenge)
    told = json.loads(found.answer.body)["source"]
    assert (told["writeKey"], told["enabled"], told["destinations"]) == ("k", True, [])


def test_pictures_are_pictures() -> None:
    for channel, request in (
        (segment_channel.CHANNEL, segment.got("/v1/pixel/track", userId="1", event="Seen")),
        (rudder_channel.CHANNEL, rudderstack.got("/pixel/v1/page", userId="1")),
        (snowplow_channel.CHANNEL, snowplow.pictured(**snowplow.payload("pv"))),
    ):
        answer = verdict(request, channel).answer
        assert answer is not None
        assert (answer.content_type, answer.headers["Cache-Control"]) == ("image/gif", "no-store")
        assert answer.body.startswith(b"GIF89a")


def test_ga4_amounts_and_times() -> None:
    said = {**ga4.BUYING, "transaction_id": "T_1", "tax": 9.03, "shipping": "4.95"}
    order = one(OrderPlaced, ga4.sent({"name": "purchase", "params": said}), ga4_channel.CHANNEL)
    assert (order.order_id, order.totals.total, order.totals.tax) == ("T_1", 569_700, 90_300)
    assert [(line.sku, line.unit_price) for line in order.lines] == [
        ("dress-36", 164_876),
        ("scarf", 100_100),
    ]
    assert order.meta.occurred_at == 1_764_064_790_123_456
    assert order.meta.identifiers == [Identifier("anonymous_id", "1092437.1732")]


def test_ga4_events_without_a_time_are_new_ones_each_time() -> None:
    request = ga4.sent({"name": "tap"}, timestamp_micros=None)
    later = replace(request, received_at=RECEIVED_AT + 1)
    first, second = (one(CustomActivityRecorded, each, ga4_channel.CHANNEL) for each in (request, later))
    assert first.meta.event_id != second.meta.event_id
    timed = ga4.sent({"name": "tap"})
    again = replace(timed, received_at=RECEIVED_AT + 1)
    first, second = (one(CustomActivityRecorded, each, ga4_channel.CHANNEL) for each in (timed, again))
    assert first.meta.event_id == second.meta.event_id


def test_ga4_says_what_is_wrong_only_when_it_is_asked() -> None:
    bad = ga4.sent({"name": "_bad"}, *[{"name": "ok"}] * 25, client_id=None, route="/debug/mp/collect")
    found = ga4_channel.receive(ga4.sign(bad, ga4.SECRET), ga4.SAMPLES.source)
    assert isinstance(found, Challenge)
    codes = [each["validationCode"] for each in json.loads(found.answer.body)["validationMessages"]]
    assert codes == ["VALUE_REQUIRED", "EXCEEDED_MAX_ENTITIES", "NAME_INVALID"]
    good = ga4.sent({"name": "ok"}, route="/debug/mp/collect")
    found = ga4_channel.receive(ga4.sign(good, ga4.SECRET), ga4.SAMPLES.source)
    assert isinstance(found, Challenge)
    assert json.loads(found.answer.body) == {"validationMessages": []}
    assert {getattr(ga4_channel.CHANNEL.answers, name).status for name in ("ok", "malformed", "refused")} == {
        204
    }


def test_snowplow_times() -> None:
    """Sent a second after it was, by a clock that is an hour behind; or with a time that is called true."""
    viewed = one(PageViewed, snowplow.sent(snowplow.payload("pv")), snowplow_channel.CHANNEL)
    assert RECEIVED_AT - viewed.meta.occurred_at == SECOND_US
    true = snowplow.sent(snowplow.payload("pv", ttm="1764060000123"))
    assert one(PageViewed, true, snowplow_channel.CHANNEL).meta.occurred_at == 1_764_060_000_123_000


def test_snowplow_transactions_find_their_items() -> None:
    sample = next(each for each in snowplow.SAMPLES.samples if each.name == "a transaction and its items")
    order = one(OrderPlaced, sample.request, snowplow_channel.CHANNEL)
    assert order.totals == Totals(total=2_199_000, shipping=99_500)
    assert [(line.sku, line.total) for line in order.lines] == [("dress-36", 1_999_500), ("scarf", 100_000)]


def test_snowplow_reads_entities_packed_and_plain() -> None:
    plain = snowplow.action("add_to_cart", ("product", snowplow.PRODUCT), ("cart", snowplow.CART))
    unpacked = {
        **{name: value for name, value in plain.items() if name not in ("ue_px", "cx")},
        **{
            ours: base64.urlsafe_b64decode(plain[theirs] + "==").decode()
            for ours, theirs in (("ue_pr", "ue_px"), ("co", "cx"))
        },
    }
    for payload in (plain, unpacked):
        added = one(CartLineAdded, snowplow.sent(payload), snowplow_channel.CHANNEL)
        assert (added.cart_id, added.line.quantity, added.line.total) == ("cart-1", 2, 3_999_000)


def test_snowplow_keeps_of_a_link_no_secret() -> None:
    sample = next(each for each in snowplow.SAMPLES.samples if each.name == "a link")
    recorded = one(CustomActivityRecorded, sample.request, snowplow_channel.CHANNEL)
    assert recorded.properties_json == '{"targetUrl":"https://other.example/"}'
    assert "email" not in repr(recorded.meta.context)
