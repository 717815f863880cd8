"""Requests by whoever wants to do harm: no channel raises, and what it keeps of them can be kept."""

from dataclasses import replace
from functools import cache
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.channels import CHANNELS
from connectors.gateway.raw import kept_request, letter, request_of
from connectors.gateway.redrive import vouched
from connectors.protocol.channel import Channel, Request, Verdict
from schemas.avsc import schema_of
from schemas.coders import Writer
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import RequestReceived
from schemas.topics import route
from tests.connectors.channels.test_conformance import each_channel, samples_of

EXAMPLES = 8
RAW_HEADER = st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\0\r\n").decode("utf-8", "replace"))
TEXT = st.text(max_size=60)
WORDS = st.sampled_from(
    (
        "",
        " ",
        ",",
        "=",
        "t=1,v1=",
        "sha256=",
        "v1,",
        "Basic ",
        "Bearer ",
        "Basic Og==",
        "9" * 400,
        "-1",
        "NaN",
    )
)
KEY_NAMES = st.one_of(
    TEXT,
    RAW_HEADER,
    st.sampled_from(
        (
            "https://evil.example/SimpleNotificationService-a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-a.pem",
            "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-a.pem",
            "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem",
            "file:///etc/passwd",
            "//169.254.169.254/latest",
            "../../admin",
            "a#@evil.example/",
            "a\r\nHost: evil.example",
        )
    ),
)
KEYED = [channel for channel in CHANNELS if channel.keys is not None]
KEY_HOSTS = (".amazonaws.com",)


@cache
def writer_of(struct: type) -> Writer:
    return Writer(schema_of(struct), struct, b"")


@st.composite
def hostile(draw: st.DrawFn, channel: Channel) -> Request:
    """A request of the channel's own with some of it in somebody else's words."""
    of = samples_of(channel.name)
    request = draw(st.sampled_from(of.samples)).request
    if draw(st.booleans()):
        request = of.sign(request, of.secret)
    names = [*request.headers, "host", "content-type", "content-encoding", "authorization", "user-agent"]
    value = st.one_of(RAW_HEADER, WORDS)
    changed = draw(
        st.dictionaries(st.sampled_from(names), st.lists(value, min_size=1, max_size=2), max_size=4)
    )
    query = draw(st.lists(st.tuples(st.sampled_from([*(name for name, _ in request.query), "e", "data", "x"]),
                                    st.one_of(TEXT, WORDS)), max_size=4))  # fmt: skip
    more = draw(st.sampled_from((list(request.query), [])))
    return replace(
        request,
        headers={**request.headers, **changed},
        query=[*more, *query],
        route=draw(st.one_of(st.just(request.route), TEXT.map(lambda text: "/" + text))),
        body=draw(st.one_of(st.just(request.body), st.binary(max_size=100))),
    )


@each_channel
@settings(
    deadline=None, max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(found=st.data())
def test_nothing_that_is_sent_makes_it_raise(channel: Channel, found: st.DataObject) -> None:
    """Neither of a stranger nor of whoever has proved to be the source; what it says then fits the schemas."""
    request, source = found.draw(hostile(channel)), samples_of(channel.name).source
    channel.receive(request, source)
    if channel.key_of is not None:
        channel.key_of(request)
    verdict = channel.receive(request, vouched(source))
    if isinstance(verdict, Verdict):
        _can_be_kept(channel, request, verdict)


def _can_be_kept(channel: Channel, request: Request, verdict: Verdict) -> None:
    source = samples_of(channel.name).source
    for event in verdict.events:
        assert route(event, "secret")
        assert writer_of(type(event)).write(event)
    kept = kept_request(request, "one", channel, source, "")
    assert writer_of(RequestReceived).write(kept)
    assert request_of(kept).body == request.body
    for reject in verdict.rejects:
        dead = letter(reject, request, "one", channel.name, source.name)
        assert writer_of(DeadLettered).write(dead)


@pytest.mark.parametrize("channel", KEYED, ids=lambda channel: channel.name)
@settings(deadline=None)
@given(name=KEY_NAMES)
def test_a_key_is_asked_for_where_its_sender_is_and_nowhere_else(channel: Channel, name: str) -> None:
    assert channel.keys is not None
    url = channel.keys.url(name, samples_of(channel.name).source)
    if url is not None:
        at = urlsplit(url)
        assert (at.scheme, at.port, at.username) == ("https", None, None)
        assert (at.hostname or "").endswith(KEY_HOSTS)
