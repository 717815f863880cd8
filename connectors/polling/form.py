"""The `poll` section of a source: where it is asked, with what credential, for what and how often.

```yaml
poll: {poller: shopify_orders, base_url: https://shop-nl.myshopify.com, every_s: 300, token: {env: SHOP_NL_TOKEN}}
poll: {poller: [bol_orders, bol_returns], base_url: https://api.bol.com, client_id: shop, client_secret: {env: BOL}}
poll: {base_url: https://api.myparcel.nl, token: {env: MYPARCEL_KEY}}   # only what its requests point at is asked for
```
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.fetchers import FETCHERS
from connectors.pollers import POLLERS
from connectors.protocol.channel import Channel
from connectors.protocol.poller import Api, Poller
from connectors.secret import Secret

POLLER_BY_NAME: Mapping[str, Poller] = {poller.name: poller for poller in POLLERS}
APIS: Mapping[str, Api] = {
    **{poller.channel: poller.api for poller in POLLERS},
    **{fetcher.channel: fetcher.api for fetcher in FETCHERS},
}
"""How each channel's sources are asked, of those that are."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class PollForm(BaseModel):
    """How the source is asked, by one poller or several. `token` is the source's own, or what the login gives a client:
    its id and its secret.

    Without a `poller` only that is asked for which the source's requests point at. An address inside is asked only
    where it lies in one of `networks`, and without TLS only such an address. `login_url` is where the login is asked,
    if that is not the vendor's own place for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    poller: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    base_url: str
    login_url: str = ""
    every_s: float = Field(300, ge=1, le=24 * 3600)
    token: Secret | None = None
    client_id: str = ""
    client_secret: Secret | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @field_validator("poller")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in POLLER_BY_NAME:
                raise ValueError(f"{name} is no poller; there are {', '.join(sorted(POLLER_BY_NAME))}")
        if len(set(names)) < len(names):
            raise ValueError("a poller is there twice")
        return names

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "PollForm":
        for name, url in (("base_url", self.base_url), ("login_url", self.login_url or self.base_url)):
            at = urlsplit(url)
            is_plain = not (at.query or at.fragment or at.username)
            if at.scheme not in ("https", "http") or not at.hostname or not is_plain:
                raise ValueError(
                    f"{name} is an address like https://shop.example, and nothing behind its path"
                )
            if at.scheme == "http" and not self.networks:
                raise ValueError(f"{name} without TLS is for an address in one of networks")
        return self

    @property
    def place(self) -> Secret | None:
        """Where its credential stands."""
        return self.token or self.client_secret

    def fault(self, channel: Channel) -> str | None:
        """Why a source of that channel is not asked so; None where it is."""
        foreign = [each for each in self.poller if POLLER_BY_NAME[each].channel != channel.name]
        if foreign:
            return f"{foreign[0]} does not ask a source of {channel.name}"
        api = APIS.get(channel.name)
        if api is None:
            return f"nothing is asked of a source of {channel.name}: take its `poll` out"
        if api.authorized is None:
            return None
        if bool(self.token) == bool(self.client_id and self.client_secret):
            return "its `poll` takes token, or client_id and client_secret"
        if self.token is None and api.login is None:
            return f"{channel.name} has no login: its `poll` takes a token"
        return None
