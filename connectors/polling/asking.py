"""One source, asked: with its token, which is fetched anew once when it is refused, and never more than it allows."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import httpx

from connectors.polling.guard import LeadsInside
from connectors.polling.waiting import told_s
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.poller import Answered, Api, Ask
from schemas.meta import Instant

TIMEOUT_S = 30.0
LEEWAY_S = 60.0
"""A token is fetched anew this long before it ends."""
TOKEN_BYTES_MAX = 64 * 1024


class Away(Exception):
    """The source gives no answer now: ask again. `wait_s` is what it asked for, None where it named no time."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Declined(Exception):
    """The source does not take the request, and would not take it again."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token of the source's own, or a client's id and the secret that gives one."""

    secret: str
    client_id: str = ""


class Asking:
    """Asks below `base_url`. `client` follows no redirects; `now` is in microseconds since 1970."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        api: Api,
        credential: Credential,
        now: Callable[[], Instant],
        login_url: str = "",
    ) -> None:
        self._client = client
        self._base = base_url
        self._login_base = login_url or (api.login.base_url if api.login else "") or base_url
        self._api = api
        self._credential = credential
        self._now = now
        self._token = "" if credential.client_id else credential.secret
        self._until: Instant | None = None
        self._turn = asyncio.Lock()
        self.rest_s = 0.0
        """How long the last answer asks to be left alone before the next question."""

    async def get(self, ask: Ask, page: str = "", since: Instant = 0) -> Answered:
        """An answer that can be read, one question at a time. Raises Away or Declined, and shows no secret."""
        async with self._turn:
            return replace(await self._get(ask), page=page, since=since)

    async def _get(self, ask: Ask) -> Answered:
        fetched = await self._renewed()
        answer = await self._told(ask)
        if answer.status == 401 and self._credential.client_id and not fetched:
            self._token = ""
            await self._renewed()
            answer = await self._told(ask)
        self.rest_s = told_s(answer.headers, self._now() / 1_000_000) or 0.0
        return answer if answer.status in self._api.reads else self._good(answer)

    async def _told(self, ask: Ask) -> Answered:
        headers = self._api.authorized(self._token) if self._api.authorized else {}
        return await self._answer(self._base, ask, headers, self._api.answer_bytes_max)

    async def _renewed(self) -> bool:
        """After this there is a token; whether it was fetched just now."""
        login = self._api.login
        if login is None or not self._credential.client_id:
            return False
        if self._token and (self._until is None or self._now() < self._until):
            return False
        ask = login.ask(self._credential.client_id, self._credential.secret)
        answer = self._good(await self._answer(self._login_base, ask, {}, TOKEN_BYTES_MAX))
        try:
            token = login.read(answer)
        except (NotReadable, Unfit) as error:
            raise Declined(f"the login's answer cannot be read: {error}") from None
        self._token = token.text
        self._until = self._now() + int(max(0.0, token.good_for_s - LEEWAY_S) * 1_000_000)
        return True

    async def _answer(self, base: str, ask: Ask, headers: Mapping[str, str], bytes_max: int) -> Answered:
        try:
            async with self._client.stream(
                ask.method,
                f"{base.rstrip('/')}/{ask.path}",
                params=ask.query,
                headers={**ask.headers, **headers},
                data=ask.form,
            ) as answer:
                body = await _bounded(answer, bytes_max)
        except LeadsInside as error:
            raise Declined(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Away(type(error).__name__) from None
        told = {name.lower(): value for name, value in answer.headers.items()}
        return Answered(body, told, self._now(), answer.status_code)

    def _good(self, answer: Answered) -> Answered:
        status = answer.status
        if 200 <= status < 300:
            return answer
        if status in (408, 425, 429) or status >= 500:
            raise Away(f"it answers {status}", told_s(answer.headers, self._now() / 1_000_000))
        if 300 <= status < 400:
            raise Declined(f"it answers {status}: redirects are not followed")
        raise Declined(f"it answers {status}")


async def _bounded(answer: httpx.Response, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes(64 * 1024):
        body += chunk
        if len(body) > bytes_max:
            raise Declined(f"its answer has more than {bytes_max} bytes")
    return bytes(body)
