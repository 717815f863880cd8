"""Requests of sources: to a channel's `receive` and, by what it says, to Kafka and back to the sender.

Every channel is treated alike here; what is special about one stands in its own file. An unknown source and a wrong
signature take the same path and get the same answer.
"""

import uuid
from collections.abc import Collection
from dataclasses import replace

import structlog
from aiohttp import web

from connectors.gateway import cors, raw, verdicts
from connectors.gateway.delivery import SpoolFull
from connectors.gateway.door import Door
from connectors.gateway.keys import KeyAway
from connectors.gateway.problems import Problem
from connectors.gateway.spool import Kept
from connectors.plans.checking import checked
from connectors.plans.counting import count
from connectors.protocol.channel import (
    Answer,
    Challenge,
    Channel,
    Malformed,
    NeedKey,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.sources import BY_NAME, Installed
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topics import DEAD_LETTERS
from vaart import metrics

WAY_IN = "/in/{channel}/{source}{rest:(/.*)?}"
REQUEST_ID = "X-Request-Id"
NOBODY = Source("")
"""Stands for a source that is not there: it has no secrets, so that every signature is wrong."""
STRANGERS_PER_S, STRANGERS_BURST = 5.0, 50
"""Failed signatures that one address may send, and requests to routes that need none."""
PUBLIC_PER_S, PUBLIC_BURST = 100.0, 1_000
KEY_ROUNDS_MAX = 2
PAUSED = "the source is paused"

log = structlog.get_logger()


class Webhooks:
    """`/in/{channel}/{source}`, and the paths that channels' own clients have built in."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def add_to(self, app: web.Application) -> None:
        """Afterwards the application answers at all of them."""
        app.router.add_route("*", WAY_IN, self._named)
        for channel in BY_NAME.values():
            for path in channel.routes:
                app.router.add_route("*", path, _Built(self, channel).respond)

    async def _named(self, request: web.Request) -> web.StreamResponse:
        channel = BY_NAME.get(request.match_info["channel"])
        if channel is None:
            raise Problem(404, "there is no such channel; `vaart channels list` shows those there are")
        found = self._door.sources.named(channel.name, request.match_info["source"])
        return await self.respond(request, channel, request.match_info["rest"], found)

    async def respond(
        self, request: web.Request, channel: Channel, route: str, found: Installed | None
    ) -> web.StreamResponse:
        """The answer to a request of a channel; `found` is None where the request itself says which source it is."""
        request_id = str(uuid.uuid4())
        if request.method == "OPTIONS":
            return cors.preflight(request, self.origins(channel, found))
        if request.method not in channel.methods:
            raise Problem(
                405, f"send {', '.join(channel.methods)}", headers={"Allow": ", ".join(channel.methods)}
            )
        try:
            async with self._door.bodies.read(request, channel.body_bytes_max) as body:
                asked = self._asked(request, route, body)
                answer, word = await self._outcome(channel, asked, found, request_id)
        except Problem as problem:
            if problem.status != 413:
                raise
            answer, word = channel.answers.too_large, "too_large"
        return self._answered(request, channel, found, answer, word, request_id)

    def origins(self, channel: Channel, found: Installed | None) -> Collection[str]:
        """The pages that may send: of the source; where only the body says which it is, of the channel's sources."""
        if found is not None:
            return found.form.origins
        every = self._door.sources.by_name.values()
        return {origin for each in every if each.channel is channel for origin in each.form.origins}

    def _asked(self, request: web.Request, route: str, body: bytes) -> Request:
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            headers.setdefault(name.lower(), []).append(_unicode(value))
        return Request(
            method=request.method,
            route=route,
            public_url=(self._door.public_url or f"{request.scheme}://{_unicode(request.host)}")
            + request.raw_path,
            headers=headers,
            query=list(request.query.items()),
            body=body,
            received_at=self._door.clock(),
            peer=self._door.peer_of(request),
        )

    def _answered(
        self,
        request: web.Request,
        channel: Channel,
        found: Installed | None,
        answer: Answer,
        word: str,
        request_id: str,
    ) -> web.Response:
        metrics.REQUESTS.labels(channel.name, word).inc()
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers={
                **cors.of(request, self.origins(channel, found)),
                **answer.headers,
                "Content-Type": answer.content_type,
                REQUEST_ID: request_id,
            },
        )

    async def _outcome(
        self, channel: Channel, asked: Request, found: Installed | None, request_id: str
    ) -> tuple[Answer, str]:
        if found is None and channel.key_of is not None:
            found = self._door.sources.by_key.get((channel.name, channel.key_of(asked) or ""))
        if (wait_s := self._wait_s(channel, asked, found)) > 0:
            return replace(
                channel.answers.overloaded, status=429, headers={"Retry-After": str(wait_s)}
            ), "limited"
        try:
            outcome = await self._received(channel, asked, found)
        except KeyAway:
            return channel.answers.overloaded, "overloaded"
        if isinstance(outcome, Refused) or found is None or found.form.is_paused:
            return self._refused(channel, asked, found, outcome, request_id)
        if isinstance(outcome, Challenge):
            return outcome.answer, "challenged"
        if isinstance(outcome, Malformed):
            return channel.answers.malformed, "malformed"
        assert isinstance(outcome, Verdict)
        if self._door.delivery.sheds and channel.retries:
            return channel.answers.overloaded, "overloaded"
        try:
            await self._keep(channel, asked, found, outcome, request_id)
        except SpoolFull:
            return channel.answers.overloaded, "overloaded"
        except (RegistryAway, SchemaUnknown) as error:
            log.warning("no_schema", error=str(error))
            return channel.answers.overloaded, "overloaded"
        return outcome.answer or channel.answers.ok, "taken"

    async def _received(self, channel: Channel, asked: Request, found: Installed | None) -> Outcome:
        """What the channel says, with the keys that it needs."""
        source = found.source if found else NOBODY
        for _ in range(KEY_ROUNDS_MAX):
            outcome = channel.receive(asked, source)
            if not isinstance(outcome, NeedKey) or channel.keys is None:
                return outcome
            key = await self._door.keys.get(channel.keys, outcome.name, source) if found else None
            source = replace(source, keys={**source.keys, outcome.name: key})
        return Refused("it asks for one key after another")

    def _refused(
        self, channel: Channel, asked: Request, found: Installed | None, outcome: Outcome, request_id: str
    ) -> tuple[Answer, str]:
        """A stranger that goes on guessing is told to wait."""
        wait_s = self._door.limits.take(f"refused:{asked.peer}", STRANGERS_PER_S, STRANGERS_BURST)
        why = outcome.why if isinstance(outcome, Refused) else PAUSED if found else "no such source"
        self._door.refusals.note(channel.name, found, why, request_id, asked.received_at)
        log.info("request_refused", channel=channel.name, reason=why)
        if wait_s:
            return replace(channel.answers.refused, headers={"Retry-After": str(wait_s)}), "refused"
        return channel.answers.refused, "refused"

    def _wait_s(self, channel: Channel, asked: Request, found: Installed | None) -> int:
        limits = self._door.limits
        if channel.proof == "public key":
            wait_s = limits.take(f"public:{asked.peer}", PUBLIC_PER_S, PUBLIC_BURST)
            if wait_s:
                return wait_s
        if found is None:
            return 0
        return limits.take(f"source:{found.source.name}", found.form.per_second, found.form.burst)

    async def _keep(
        self, channel: Channel, asked: Request, found: Installed, verdict: Verdict, request_id: str
    ) -> None:
        """After this the events, what was rejected and the request itself are in Kafka or on the disk."""
        encoding, source = self._door.encoding, found.source.name
        planned, flags = checked(found.plan, verdict.events)
        events = [
            *planned,
            *(raw.fetch_of(each, asked, channel, found.source) for each in verdict.fetches),
        ]
        records, misfits = await encoding.fitted(events)
        rejects = [*verdict.rejects, *misfits]
        for reject in rejects:
            dead = raw.letter(reject, asked, request_id, channel.name, source)
            records.append(await encoding.entry(DEAD_LETTERS, request_id, dead))
        told = verdicts.words(verdict, len(rejects), flags)
        kept = raw.kept_request(asked, request_id, channel, found.source, told)
        records += [each for each in await encoding.records([kept]) if isinstance(each, Kept)]
        await self._door.delivery.keep(records)
        metrics.SOURCE_HEARD.labels(channel.name, source).set_to_current_time()
        metrics.EVENTS_RECEIVED.labels(channel.name, "published").inc(len(verdict.events))
        if rejects:
            metrics.EVENTS_RECEIVED.labels(channel.name, "rejected").inc(len(rejects))
        count(flags, channel.name, source)


class _Built:
    """A path that a channel's clients have built in: the request itself says which source it is for."""

    def __init__(self, webhooks: Webhooks, channel: Channel) -> None:
        self._webhooks = webhooks
        self._channel = channel

    async def respond(self, request: web.Request) -> web.StreamResponse:
        return await self._webhooks.respond(request, self._channel, request.path, None)


def _unicode(told: str) -> str:
    """aiohttp has half a surrogate pair for each byte of a header that is not UTF-8: nobody could store that."""
    return told if told.isascii() else told.encode(errors="surrogateescape").decode(errors="replace")
