"""How long it takes to refuse: who guesses learns from the time neither whether a source is there nor how far they got.

Answers of one way differ by more than the ways do, so that the figures are told; asserted is that all were refused.
"""

import random
import time
from pathlib import Path
from statistics import median, quantiles

import httpx
import pytest

from connectors.protocol.channel import Request
from tests.connectors.channels.samples import shopify
from tests.connectors.channels.sampling import with_headers
from tests.connectors.gateway.running import OTHER_SECRET, SHOP, Ground, running, signed, stranger
from tests.torture.conftest import Report
from vaart.addresses import Addresses

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(600)]

ROUNDS = 2_000
GOOD = signed(shopify.ORDER)
PROOF = GOOD.headers["x-shopify-hmac-sha256"][0]


def proved_by(signature: str) -> Request:
    return with_headers(GOOD, x_shopify_hmac_sha256=signature)


WAYS = {
    "no signature": (SHOP, proved_by("")),
    "a wrong one": (SHOP, proved_by(PROOF[::-1])),
    "its first half": (SHOP, proved_by(PROOF[: len(PROOF) // 2])),
    "all but its last byte": (SHOP, proved_by(PROOF[:-2] + "A=")),
    "another source's": (SHOP, signed(shopify.ORDER, secret=OTHER_SECRET)),
    "no such source": ("/in/shopify/nobody", GOOD),
}


def test_refusals_take_alike(servers: Addresses, tmp_path: Path, report: Report) -> None:
    ground = Ground(servers, tmp_path)
    ground.prepare()
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    order = [name for name in WAYS for _ in range(ROUNDS)]
    random.Random(5).shuffle(order)
    with running(ground, VAART_GATEWAY__PROXIES="1") as gateway, httpx.Client(base_url=gateway.url) as client:
        for number, name in enumerate(order):
            path, request = WAYS[name]
            # From an address of its own, since one that goes on guessing is told to wait.
            headers = {each: values[0] for each, values in request.headers.items()}
            headers["X-Forwarded-For"] = stranger(number)
            began = time.perf_counter()
            answer = client.post(path, content=request.body, headers=headers)
            took[name].append((time.perf_counter() - began) * 1e6)
            assert answer.status_code == 401
    report(
        f"{ROUNDS} of each, at the median (half of them within): "
        + ", ".join(f"{name} {_told(each)}" for name, each in took.items())
    )


def _told(micros: list[float]) -> str:
    low, _, high = quantiles(micros, n=4)
    return f"{median(micros):.0f} µs ({low:.0f} to {high:.0f})"
