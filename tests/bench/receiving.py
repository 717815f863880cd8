"""`receive` alone: an order with the proof of its signature and without, and every sample of every channel."""

import time
from collections.abc import Iterator

from connectors.channels import CHANNELS
from connectors.gateway.redrive import vouched
from connectors.protocol.channel import Channel, Request, Source, Verdict
from tests.bench.figures import Figure
from tests.bench.ground import OURS, on
from tests.connectors.channels.samples import shopify
from tests.connectors.channels.test_conformance import samples_of
from vaart import collector

TIMES = 7
ROUNDS_OF_A_SAMPLE = 100
GOAL_US = 100.0
SHOWN = 5


def run(order: Request, rounds: int) -> Iterator[Figure]:
    """The collector is set as it is in the gateway."""
    collector.calm()
    source = shopify.SAMPLES.source
    with on(OURS):
        yield _of_order("receive, proof included", order, source, rounds)
        yield _of_order("receive alone", order, vouched(source), rounds)
        yield _of_samples()


def _of_order(name: str, order: Request, source: Source, rounds: int) -> Figure:
    took = sorted(_read(shopify.SAMPLES.channel, order, source, rounds) for _ in range(TIMES))
    told = ", ".join(f"{each / rounds * 1e6:.0f}" for each in took)
    how = f"a Shopify order of {len(order.body):,} bytes; {TIMES} times, here at the median: {told} µs"
    return Figure(name, rounds, took[TIMES // 2], how)


def _of_samples() -> Figure:
    """What an event takes in each sample that gives any, the least of several times."""
    found = sorted(_samples(), reverse=True)
    under = sum(micros < GOAL_US for micros, _ in found)
    slowest = ", ".join(f"{name} {micros:.0f}" for micros, name in found[:SHOWN])
    return Figure(
        "receive, every sample",
        len(found),
        sum(micros for micros, _ in found) / 1e6,
        f"{under} of {len(found)} take less than {GOAL_US:.0f} µs an event; the slowest: {slowest} µs",
    )


def _samples() -> Iterator[tuple[float, str]]:
    for channel in CHANNELS:
        of = samples_of(channel.name)
        source = vouched(of.source)
        for sample in of.samples:
            outcome = channel.receive(sample.request, source)
            if isinstance(outcome, Verdict) and outcome.events:
                took = min(_read(channel, sample.request, source, ROUNDS_OF_A_SAMPLE) for _ in range(TIMES))
                micros = took / ROUNDS_OF_A_SAMPLE / len(outcome.events) * 1e6
                yield micros, f"{channel.name}: {sample.name}"


def _read(channel: Channel, request: Request, source: Source, rounds: int) -> float:
    """How many seconds it takes to read the request so often."""
    began = time.perf_counter()
    for _ in range(rounds):
        channel.receive(request, source)
    return time.perf_counter() - began
