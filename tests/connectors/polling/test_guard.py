"""Nothing that a source names leads inside: refused before anything is connected."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import httpx
import pytest

from connectors.polling.guard import Guarded, LeadsInside, is_allowed, resolve

INSIDE = [
    "127.0.0.1",
    "169.254.169.254",
    "10.1.2.3",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


class Reached:
    """Stands for the network: notes each address that was connected to."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.addresses.append(request.url.host)
        assert request.headers["host"] == "shop.example"
        assert request.extensions["sni_hostname"] == "shop.example"
        return httpx.Response(200)


async def get(url: str, guarded: Guarded) -> httpx.Response:
    async with httpx.AsyncClient(transport=guarded, trust_env=False) as client:
        return await client.get(url)


@pytest.mark.parametrize("address", INSIDE)
def test_special_addresses_are_inside(address: str) -> None:
    assert not is_allowed(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_not(address: str) -> None:
    assert is_allowed(ip_address(address))


def test_a_listed_network_may_be_asked() -> None:
    listed = [ip_network("10.1.0.0/16")]
    assert is_allowed(ip_address("10.1.2.3"), listed)
    assert not is_allowed(ip_address("10.2.0.1"), listed)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "localhost", "[::1]", "0.0.0.0"]
)
async def test_other_ways_to_write_loopback_are_refused(host: str) -> None:
    reached = Reached()
    with pytest.raises((LeadsInside, httpx.InvalidURL)):
        await get(f"http://{host}/", Guarded(inner=reached.transport, find=resolve))
    assert reached.addresses == []


async def test_a_name_that_changes_is_connected_to_as_it_was_checked() -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    reached = Reached()
    guarded = Guarded(find=rebinding, inner=reached.transport)
    assert (await get("https://shop.example/", guarded)).status_code == 200
    with pytest.raises(LeadsInside):
        await get("https://shop.example/", guarded)
    assert reached.addresses == ["93.184.215.14"]


async def test_one_inner_address_among_public_ones_refuses_all() -> None:
    async def mixed(host: str, port: int) -> Sequence[str]:
        return ["93.184.215.14", "::ffff:10.0.0.1"]

    reached = Reached()
    with pytest.raises(LeadsInside):
        await get("https://shop.example/", Guarded(find=mixed, inner=reached.transport))
    assert reached.addresses == []
