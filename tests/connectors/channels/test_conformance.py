"""What holds of every channel in the catalogue, shown with the requests in `samples/<channel>.py`."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels import CHANNELS
from connectors.gateway.raw import kept_request, request_of
from connectors.gateway.redrive import vouched
from connectors.protocol.channel import Challenge, Channel, Malformed, NeedKey, Refused, Request, Verdict
from schemas.avsc import schema_of
from schemas.coders import Writer
from schemas.topics import route
from tests.connectors.channels.sampling import Sample, Samples

DAY_US = 24 * 60 * 60 * 1_000_000
SECRET = "identifier secret"


ODD = (
    b"{}",
    b"[]",
    b"null",
    b"0",
    b'""',
    b"[null]",
    b"[[]]",
    b"[{}]",
    b"[" * 100_000,
    b'{"a":' * 10_000,
    b'{"id":' + b"9" * 200_000 + b"}",
    b'{"id":NaN}',
    b'{"id":"\\ud800"}',
    b'{"id":"\\u0000"}',
    b"\xff\xfe",
    b'{"id":"\xff"}',
    b'{"id":"\xed\xa0\x80"}',
    b'{"id":1,"id":2}',
    b"a=1&b=%zz",
    b"<a/>",
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
)


@cache
def samples_of(name: str) -> Samples:
    try:
        module = importlib.import_module(f"tests.connectors.channels.samples.{name}")
    except ModuleNotFoundError:
        pytest.fail(f"the channel {name} has no samples: tests/connectors/channels/samples/{name}.py")
    return cast(Samples, module.SAMPLES)


def every_sample() -> Iterator[object]:
    for channel in CHANNELS:
        for sample in samples_of(channel.name).samples:
            yield pytest.param(samples_of(channel.name), sample, id=f"{channel.name}-{sample.name}")


every = pytest.mark.parametrize(("of", "sample"), list(every_sample()))
each_channel = pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)


def received(of: Samples, sample: Sample, *, secret: str | None = None, late_us: int = 0) -> object:
    request = of.sign(sample.request, of.secret if secret is None else secret)
    return of.channel.receive(replace(request, received_at=request.received_at + late_us), of.source)


def taken(of: Samples, sample: Sample, late_us: int = 0) -> Verdict:
    found = received(of, sample, late_us=late_us)
    assert isinstance(found, Verdict), found
    return found


@every
def test_a_sample_gives_what_it_stands_for(of: Samples, sample: Sample) -> None:
    found = received(of, sample)
    if sample.is_answered:
        assert isinstance(found, Challenge | Malformed), found
        return
    assert isinstance(found, Verdict), found
    assert [type(event).__name__ for event in found.events] == list(sample.gives)
    assert len(found.rejects) == sample.rejected, [reject.detail for reject in found.rejects]
    assert [fetch.what for fetch in found.fetches] == list(sample.fetches)


@every
def test_events_fit_their_schemas_and_have_a_topic(of: Samples, sample: Sample) -> None:
    if sample.is_answered:
        return
    for event in taken(of, sample).events:
        topic, key = route(event, SECRET)
        assert type(event) in topic.events
        assert key
        assert Writer(schema_of(type(event)), type(event), b"").write(event)


@every
def test_a_repeat_a_day_later_is_the_same_events(of: Samples, sample: Sample) -> None:
    if sample.is_answered or not of.has_ids:
        return
    first, again = taken(of, sample), taken(of, sample, DAY_US)
    assert [event.meta.event_id for event in first.events] == [event.meta.event_id for event in again.events]
    assert [type(event) for event in first.events] == [type(event) for event in again.events]


@every
def test_every_event_has_an_id_of_its_own(of: Samples, sample: Sample) -> None:
    if sample.is_answered:
        return
    found = [event.meta.event_id for event in taken(of, sample).events]
    assert len(set(found)) == len(found)


@every
def test_meta_says_who_and_when(of: Samples, sample: Sample) -> None:
    if sample.is_answered:
        return
    for event in taken(of, sample).events:
        assert event.meta.source == of.source.name
        assert event.meta.channel
        assert event.meta.occurred_at <= event.meta.received_at == sample.request.received_at


@every
def test_a_stranger_is_refused(of: Samples, sample: Sample) -> None:
    if of.channel.proof == "public key":
        return
    for found in (
        received(of, sample, secret=of.other),
        received(of, sample, secret=""),
        of.channel.receive(sample.request, of.source),
        of.channel.receive(of.sign(sample.request, of.secret), replace(of.source, secrets=(), keys={})),
    ):
        assert isinstance(found, Refused | NeedKey), found


@every
def test_a_changed_body_is_refused(of: Samples, sample: Sample) -> None:
    if not of.covers_body or not sample.request.body:
        return
    signed = of.sign(sample.request, of.secret)
    for body in (signed.body + b" ", signed.body[:-1], b"", signed.body.replace(b"e", b"E", 1)):
        if body != signed.body:
            assert isinstance(of.channel.receive(replace(signed, body=body), of.source), Refused)


@every
def test_a_signature_that_is_cut_or_doubled_is_refused(of: Samples, sample: Sample) -> None:
    if of.channel.proof != "signature" or not of.covers_body or sample.request.method != "POST":
        return
    signed = of.sign(sample.request, of.secret)
    added = {name for name in signed.headers if signed.headers[name] != sample.request.headers.get(name)}
    for change in (_cut, _doubled):
        changed = {name: change(value) if name in added else value for name, value in signed.headers.items()}
        if added:
            found = of.channel.receive(replace(signed, headers=changed), of.source)
            assert isinstance(found, Refused | NeedKey), found


@every
def test_while_a_secret_is_replaced_both_hold(of: Samples, sample: Sample) -> None:
    if of.channel.is_signed_by_key or of.channel.proof == "public key":
        return
    both = replace(of.source, secrets=(of.other, of.secret))
    for secret in both.secrets:
        found = of.channel.receive(of.sign(sample.request, secret), both)
        assert not isinstance(found, Refused), found


@every
def test_a_stored_request_means_the_same_when_it_is_read_again(of: Samples, sample: Sample) -> None:
    if sample.is_answered:
        return
    first = taken(of, sample)
    signed = of.sign(sample.request, of.secret)
    kept = kept_request(signed, "one", of.channel, of.source, "")
    again = of.channel.receive(request_of(kept), vouched(of.source))
    assert isinstance(again, Verdict), again
    if of.has_ids:
        assert again.events == first.events
    assert len(again.rejects) == len(first.rejects)


@each_channel
@settings(deadline=None)
@given(body=st.binary(max_size=200))
def test_no_body_makes_it_raise(channel: Channel, body: bytes) -> None:
    _survives(channel, lambda request: replace(request, body=body))


@each_channel
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_no_odd_document_makes_it_raise(channel: Channel, body: bytes) -> None:
    _survives(channel, lambda request: replace(request, body=body))


def _survives(channel: Channel, changed: Callable[[Request], Request]) -> None:
    of = samples_of(channel.name)
    for sample in of.samples:
        request = of.sign(changed(sample.request), of.secret)
        found = channel.receive(request, of.source)
        assert isinstance(found, Verdict | Refused | Malformed | Challenge | NeedKey)
        if isinstance(found, Verdict):
            assert all(len(reject.detail) < 500 for reject in found.rejects)


@each_channel
def test_it_says_how_it_is_known(channel: Channel) -> None:
    assert channel.evidence.origin
    assert channel.title
    assert samples_of(channel.name).samples


def _cut(value: object) -> tuple[str, ...]:
    return tuple(str(each)[:-4] for each in cast(tuple[str, ...], value))


def _doubled(value: object) -> tuple[str, ...]:
    return cast(tuple[str, ...], value) * 2
