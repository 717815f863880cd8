"""Requests that are no good HTTP, or too much of it: refused or hung up on, and the gateway holds no more for them."""

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.channels import segment, shopify
from connectors.protocol.channel import BATCH_BYTES_MAX
from tests.connectors.gateway.events import sold
from tests.connectors.gateway.running import (
    ANSWERS_WITHIN_S,
    SHOP,
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
BATCH = f"/v1/batch?writeKey={WRITE_KEY}"
JSON = {"Content_Type": "application/json"}
EVENT = json.dumps(sold()).encode()
GOOD = spoken("POST", URL, EVENT, **JSON)
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: in.example\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(EVENT)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BOMB = gzip.compress(b" " * 50_000_000)
PACKED = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
MEMORY_MAX = 50_000_000
HUNG_UP_WITHIN_S = 8.0


def chunk(body: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(body), extension, body)


WHOLE = chunk(EVENT) + b"0\r\n\r\n"
REFUSED = {
    "length and chunks": HEAD + LENGTH + CHUNKED + b"\r\n" + WHOLE,
    "chunks and length": HEAD + CHUNKED + LENGTH + b"\r\n" + WHOLE,
    "two lengths": HEAD + LENGTH + b"Content-Length: 3\r\n\r\n" + EVENT,
    "a list of lengths": HEAD + b"Content-Length: 3, 3\r\n\r\n" + EVENT,
    "a length with a sign": HEAD + b"Content-Length: +3\r\n\r\n" + EVENT,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + EVENT,
    "a length beyond 64 bits": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + EVENT,
    "a chunk of no number": HEAD + CHUNKED + b"\r\nzz\r\n" + EVENT,
    "a chunk with a sign": HEAD + CHUNKED + b"\r\n-5\r\n" + EVENT,
    "a chunk beyond 64 bits": HEAD + CHUNKED + b"\r\nfffffffffffffffff\r\n" + EVENT,
    "a chunk that goes on": HEAD + CHUNKED + b"\r\n3\r\n" + EVENT + b"\r\n0\r\n\r\n",
    "ten thousand trailers": HEAD
    + CHUNKED
    + b"\r\n"
    + chunk(EVENT)
    + b"0\r\n"
    + b"X-A: b\r\n" * 10_000
    + b"\r\n",
    "another coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + WHOLE,
    "two codings": HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + WHOLE,
    "a space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + WHOLE,
    "a header of 200 KB": HEAD + LENGTH + b"X-Big: " + b"a" * 200_000 + b"\r\n\r\n" + EVENT,
    "a header without an end": HEAD + LENGTH + b"X-Big: " + b"a" * 2_000_000,
    "ten thousand headers": HEAD
    + b"".join(b"X-%d: a\r\n" % each for each in range(10_000))
    + LENGTH
    + b"\r\n",
    "a bomb": HEAD + PACKED + BOMB,
    "a bomb in a webhook": HEAD.replace(URL.encode(), SHOP.encode()) + PACKED + BOMB,
    "a bomb in a batch": HEAD.replace(URL.encode(), BATCH.encode()) + PACKED + BOMB,
    "packed twice": HEAD + PACKED.replace(b"gzip", b"gzip, gzip") + BOMB,
    "a folded header": HEAD + LENGTH + b"X-A: a\r\n b\r\n\r\n" + EVENT,
    "NUL in a value": HEAD + LENGTH + b"X-A: a\0b\r\n\r\n" + EVENT,
    "NUL in a name": HEAD + LENGTH + b"X\0A: ab\r\n\r\n" + EVENT,
    "CR in a value": HEAD + LENGTH + b"X-A: a\rb\r\n\r\n" + EVENT,
    "lines without CR": (HEAD + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + EVENT,
    "no host": (HEAD + LENGTH + b"\r\n").replace(b"Host: in.example\r\n", b"") + EVENT,
    "two hosts": HEAD + b"Host: b\r\n" + LENGTH + b"\r\n" + EVENT,
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.7": GOOD.replace(b"HTTP/1.1", b"HTTP/3.7"),
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"\1" * 200,
    "a proxy's CONNECT": b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a proxy's TRACE": b"TRACE /v1/events HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method of two words": GOOD.replace(b"POST", b"PO ST"),
    "a method of 100 KB": GOOD.replace(b"POST", b"P" * 100_000),
    "a path of 200 KB": GOOD.replace(b"/v1/events", b"/" + b"a" * 200_000),
    "a path upwards": GOOD.replace(b"/v1/events", b"/in/../../etc/passwd"),
    "a path that is not UTF-8": GOOD.replace(b"/v1/events", b"/in/shopify/\xff\xfe"),
    "a path that is not UTF-8 when it is read": GOOD.replace(b"/v1/events", b"/in/shopify/%c3%28"),
    "an address without its end": GOOD.replace(b" /v1/events", b" http://[::1/v1/events"),
    "an expectation": HEAD + LENGTH + b"Expect: 200-ok\r\n\r\n" + EVENT,
    "nothing": b"",
    "empty lines": b"\r\n" * 1_000,
    "any bytes": bytes(range(256)) * 100,
    "another content type": GOOD.replace(b"application/json", b"multipart/form-data; boundary="),
}
TAKEN = {
    "as it should be": GOOD,
    "in chunks with extensions": HEAD + CHUNKED + b"\r\n" + chunk(EVENT, b";a=b") + b"0\r\n\r\n",
    "to an absolute address": GOOD.replace(b" /v1/events", b" http://in.example/v1/events"),
    "that offers another protocol": HEAD + LENGTH + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + EVENT,
}


def test_what_is_no_good_http_is_refused_and_costs_nothing(edge: Edge) -> None:
    assert status(edge.gateway.say(GOOD)) == 202
    before = edge.gateway.memory()
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(REFUSED, pool.map(edge.gateway.say, REFUSED.values()), strict=True))
    wrong = {name: status(answer) for name, answer in answers.items() if status(answer) // 100 not in (0, 4)}
    assert wrong == {}
    assert [name for name, answer in answers.items() if b"aiohttp" in answer or b"Python" in answer] == []
    assert edge.gateway.memory() - before <= MEMORY_MAX
    assert status(edge.gateway.say(GOOD)) == 202


def test_a_request_that_cannot_be_read_is_not_quoted(edge: Edge) -> None:
    hidden = b"Authorization: Bearer hush"
    answer = edge.gateway.say((HEAD + hidden + b"\r\n" + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + EVENT)
    assert status(answer) == 400
    assert b"application/problem+json" in answer
    assert b"hush" not in answer


@pytest.mark.parametrize("raw", TAKEN.values(), ids=TAKEN)
def test_what_is_unusual_and_allowed_is_taken(edge: Edge, raw: bytes) -> None:
    assert status(edge.gateway.say(raw)) == 202


def test_requests_behind_each_other_are_answered_in_their_order(edge: Edge) -> None:
    bad = spoken("POST", URL, b"{", **JSON)
    answer = edge.gateway.say(GOOD + bad + GOOD + spoken("GET", "/nothing") + GOOD, 5)
    assert [int(each[2:5]) for each in answer.split(b"HTTP/1.")[1:]] == [202, 400, 202, 404, 202]


def test_nothing_is_taken_of_what_stands_behind_a_bad_length(edge: Edge) -> None:
    """What one reader takes for a body another could take for a request of its own."""
    hidden = GOOD.replace(b"receipt-1", b"smuggled1")
    answer = edge.gateway.say(HEAD + b"Content-Length: 0\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + hidden, 2)
    assert (status(answer), answer.count(b"HTTP/1.")) == (400, 1)


LIMITS = {
    URL: (BATCH_BYTES_MAX, 400, JSON),
    SHOP: (shopify.CHANNEL.body_bytes_max, 200, {}),
    BATCH: (segment.CHANNEL.body_bytes_max, 400, {"Content_Type": "application/json"}),
}


@pytest.mark.parametrize("path", LIMITS)
def test_a_body_of_the_limit_is_read(edge: Edge, path: str) -> None:
    """It is blank: what is said of it says that it was read to its end."""
    limit, expected, headers = LIMITS[path]
    blank = b" " * limit
    raw = told(signed(blank)) if path == SHOP else spoken("POST", path, blank, **headers)
    assert status(edge.gateway.say(raw)) == expected


@pytest.mark.parametrize("path", LIMITS)
def test_of_a_body_beyond_the_limit_nothing_is_waited_for(edge: Edge, path: str) -> None:
    limit, _, headers = LIMITS[path]
    head = spoken("POST", path, Content_Length=str(limit + 1), **headers)
    assert status(edge.gateway.say(head)) == 413


@pytest.mark.parametrize("path", LIMITS)
def test_of_chunks_beyond_the_limit_no_end_is_waited_for(edge: Edge, path: str) -> None:
    limit, _, headers = LIMITS[path]
    head = spoken("POST", path, Content_Length="", Transfer_Encoding="chunked", **headers)
    assert status(edge.gateway.say(head + chunk(b" " * (limit + 1)))) == 413


def test_whoever_goes_on_sending_what_is_refused_is_hung_up_on(edge: Edge) -> None:
    head = spoken("POST", "/nothing", Content_Length=str(10**12))
    with socket.create_connection(("127.0.0.1", edge.gateway.port), ANSWERS_WITHIN_S) as opened:
        opened.sendall(head)
        wait_until(lambda: _is_hung_up(opened), HUNG_UP_WITHIN_S)


def _is_hung_up(opened: socket.socket) -> bool:
    try:
        opened.sendall(b" " * 1_000)
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", [URL, SHOP])
def test_another_method_is_told_which_one(edge: Edge, path: str, method: str) -> None:
    answer = edge.gateway.say(spoken(method, path))
    assert (status(answer), b"Allow: POST" in answer) == (405, True)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "a b/", "x" * 5_000])
def test_the_host_that_a_sender_names_decides_nothing(edge: Edge, host: str) -> None:
    answers = [edge.gateway.say(spoken("GET", URL, Host=each)) for each in ("in.example", host)]
    assert len({answer.partition(b"Date:")[0] for answer in answers}) == 1
    assert status(edge.gateway.say(spoken("POST", URL, EVENT, Host=host, **JSON))) == 202


PRIVATE = (
    *(
        "/metrics",
        "/metrics/",
        "//metrics",
        "/%6detrics",
        "/readyz",
        "/livez",
        "/healthz",
        "/health",
        "/version",
    ),
    *("/", "/v1", "/in", "/admin", "/admin/", "/debug", "/docs", "/openapi.json", "/.env", "/.git/config"),
)


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_for_the_operator_is_not_on_the_public_port(edge: Edge, path: str) -> None:
    assert {status(edge.gateway.say(spoken(method, path))) for method in ("GET", "POST")} == {404}
