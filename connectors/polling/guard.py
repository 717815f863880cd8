"""No way inside: each connection goes to an address that was checked, not to a name that may mean another by then.

Loopback, private, link-local and other special addresses are refused, also where they are written as a number, hidden
in an IPv6 address or answered by DNS, unless the source's own configuration lists their network.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

ADDRESSES_MAX = 8
NAT64 = IPv6Network("64:ff9b::/96")

Network = IPv4Network | IPv6Network
IpAddress = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as texts."""


class LeadsInside(httpx.RequestError):
    """The address is not for the source to name. Nothing was connected."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """As the system has it: decimal and octal forms, too. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_allowed(address: IpAddress, networks: Sequence[Network] = ()) -> bool:
    """Whether it is a public address, or in one of the networks."""
    meant = _meant(address)
    if any(meant.version == each.version and meant in each for each in networks):
        return True
    return meant.is_global and not meant.is_multicast


class Guarded(httpx.AsyncBaseTransport):
    """Connects to checked addresses only, anew for each request. It follows nothing and knows no proxy."""

    def __init__(
        self,
        networks: Sequence[Network] = (),
        find: Resolve = resolve,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        # A connection kept open by address could be another host's of the same address.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
        self._networks = networks
        self._find = find

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first address that can be reached. Raises LeadsInside where any of them is inside."""
        failed: httpx.ConnectError | None = None
        for address in await self._checked(request):
            try:
                return await self._inner.handle_async_request(_addressed(request, address))
            except httpx.ConnectError as error:
                failed = error
        raise failed or httpx.ConnectError("the host has no address", request=request)

    async def aclose(self) -> None:
        """After this no connection is open."""
        await self._inner.aclose()

    async def _checked(self, request: httpx.Request) -> list[IpAddress]:
        url = request.url
        if url.scheme not in ("http", "https"):
            raise LeadsInside("only http and https are asked", request=request)
        try:
            told = await self._find(url.host, url.port or (443 if url.scheme == "https" else 80))
        except OSError:
            raise httpx.ConnectError("the host is not known", request=request) from None
        found = [ip_address(each) for each in told[:ADDRESSES_MAX]]
        if not all(is_allowed(each, self._networks) for each in found):
            raise LeadsInside("the address leads inside; list its network if it may", request=request)
        return found


def _addressed(request: httpx.Request, address: IpAddress) -> httpx.Request:
    """The request to that address; the host that it is for is still named in its header and in TLS."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def _meant(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
