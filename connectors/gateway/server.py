"""The gateway: `POST /v1/events` takes our own events, `/in/...` those of sources; both answer once they are kept.

202 {"event_id": "..."}                     one event, kept
202 {"accepted": 2, "items": [...]}         a list, all kept
207 {"accepted": 1, "items": [...]}         some kept: each item has its status, and a problem where it is not
4xx, 503 application/problem+json           nothing kept (RFC 9457); a list's problems stand in `items`
"""

import time
import traceback
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from connectors.gateway.delivery import SpoolFull
from connectors.gateway.door import Door
from connectors.gateway.encoding import Misfit
from connectors.gateway.front import SERVER
from connectors.gateway.intake import EVERY_INPUT, avro_event, events_of, json_items
from connectors.gateway.problems import Problem, answer
from connectors.gateway.spool import Kept
from connectors.gateway.webhooks import Webhooks
from connectors.protocol.channel import BATCH_BYTES_MAX
from schemas.codec import Codec
from schemas.coders import FRAME_BYTES
from schemas.meta import Event
from schemas.registry import RegistryAway, SchemaUnknown
from vaart import metrics

EVENTS = "/v1/events"
JSON_TYPES = frozenset({"application/json"})
AVRO_TYPES = frozenset({"application/vnd.confluent.avro", "avro/binary"})
"""One event in Confluent framing: a zero, four bytes of schema id, Avro."""
RETRY_AFTER_S = 5

log = structlog.get_logger()


def application(door: Door, codec: Codec) -> web.Application:
    """The gateway's routes."""
    app = web.Application(middlewares=[_answered])
    app.router.add_post(EVENTS, _Events(door, codec).respond)
    Webhooks(door).add_to(app)
    app.on_response_prepare.append(_signed)
    return app


class _Events:
    """`POST /v1/events`."""

    def __init__(self, door: Door, codec: Codec) -> None:
        self._door = door
        self._decode = codec.decoder(EVERY_INPUT)
        self._known: set[bytes] = set()

    async def respond(self, request: web.Request) -> web.Response:
        is_avro = request.content_type in AVRO_TYPES
        if not is_avro and request.content_type not in JSON_TYPES:
            raise Problem(415, f"send {', '.join(sorted(JSON_TYPES | AVRO_TYPES))}")
        async with self._door.bodies.read(request, BATCH_BYTES_MAX) as raw:
            received_at = self._door.clock()
            if is_avro:
                return _one(await self._keep([await self._avro(raw, received_at)]))
            items, is_list = json_items(raw)
            outcomes = await self._keep(events_of(items, received_at))
        return _many(outcomes) if is_list else _one(outcomes)

    async def _avro(self, raw: bytes, received_at: int) -> Event:
        """The first record of a schema asks the registry."""
        read = partial(avro_event, raw, self._decode, received_at)
        if raw[:FRAME_BYTES] in self._known:
            return read()
        try:
            found = await self._door.encoding.asked(read)
        except RegistryAway as error:
            log.warning("no_schema", error=str(error))
            raise Problem(
                503, "the schema registry is away; send it again", headers={"Retry-After": str(RETRY_AFTER_S)}
            ) from None
        self._known.add(raw[:FRAME_BYTES])
        return found

    async def _keep(self, events: list[Event] | list[Event | Problem]) -> list[Event | Problem]:
        """The events that are kept; in place of each other one the Problem that it met."""
        outcomes = list(events)
        good = [(index, event) for index, event in enumerate(outcomes) if isinstance(event, Event)]
        try:
            found = await self._door.encoding.records([event for _, event in good])
            for (index, _), record in zip(good, found, strict=True):
                if isinstance(record, Misfit):
                    outcomes[index] = Problem(413 if record.is_too_large else 422, record.detail)
            await self._door.delivery.keep([record for record in found if isinstance(record, Kept)])
        except (RegistryAway, SchemaUnknown) as error:
            log.warning("no_schema", error=str(error))
            outcomes = [_away(each, "its schema is not at hand") for each in outcomes]
        except SpoolFull:
            outcomes = [_away(each, "neither Kafka nor the disk takes it") for each in outcomes]
        for outcome in outcomes:
            word = "published" if isinstance(outcome, Event) else _word(outcome)
            metrics.EVENTS_RECEIVED.labels(channel="api", outcome=word).inc()
        return outcomes


def _away(outcome: Event | Problem, why: str) -> Problem:
    """What was a good event is not kept."""
    if isinstance(outcome, Problem):
        return outcome
    return Problem(
        503,
        f"the event is not kept, {why}; send it again: with the same content it is the same event",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _one(outcomes: list[Event | Problem]) -> web.Response:
    outcome = outcomes[0]
    if isinstance(outcome, Problem):
        raise outcome
    return web.json_response({"event_id": outcome.meta.event_id}, status=202)


def _many(outcomes: list[Event | Problem]) -> web.Response:
    items = [_item(outcome) for outcome in outcomes]
    problems = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    accepted = len(outcomes) - len(problems)
    if not accepted:
        return answer(_worst(problems), accepted=0, items=items)
    retry = next((dict(problem.headers) for problem in problems if problem.headers), {})
    return web.json_response(
        {"accepted": accepted, "items": items}, status=207 if problems else 202, headers=retry
    )


def _item(outcome: Event | Problem) -> dict[str, Any]:
    if isinstance(outcome, Event):
        return {"status": 202, "event_id": outcome.meta.event_id}
    return outcome.body()


def _worst(problems: list[Problem]) -> Problem:
    """What stands for a list of which nothing is kept: worth a retry if one item is."""
    worst = max(problems, key=lambda problem: problem.status)
    return Problem(worst.status, "no event of the list is kept; each item says why", headers=worst.headers)


def _word(problem: Problem) -> str:
    return {413: "too_large", 422: "invalid", 503: "away"}.get(problem.status, "malformed")


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure becomes a problem document; a fault of our own is logged without the request."""
    started = time.monotonic()
    response = await _response(request, handler)
    route = request.match_info.route.resource
    metrics.REQUEST_SECONDS.labels(
        route=route.canonical if route else "unknown", status=str(response.status)
    ).observe(time.monotonic() - started)
    return response


async def _signed(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER


async def _response(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return answer(problem)
    except web.HTTPException as error:
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return answer(Problem(error.status, f"the gateway answers POST {EVENTS}", headers=allowed))
    except Exception as error:
        # No traceback: its text could show what was sent.
        log.error("request_failed", error=type(error).__name__, at=_place(error))  # noqa: TRY400
        return answer(Problem(500, "the event may not be kept; send it again"))


def _place(error: BaseException) -> str:
    """File and line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"
