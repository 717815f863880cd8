"""The gateway: `POST /v1/events` takes our own events and answers once Kafka has them.

202 {"event_id": "..."}                     one event, kept
202 {"accepted": 2, "items": [...]}         a list, all kept
207 {"accepted": 1, "items": [...]}         some kept: each item has its status, and a problem where it is not
4xx, 503 application/problem+json           nothing kept (RFC 9457); a list's problems stand in `items`
"""

import asyncio
import time
import traceback
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from connectors.gateway.bodies import Bodies
from connectors.gateway.intake import EVERY_INPUT, avro_event, events_of, json_items
from connectors.gateway.keeping import Keeper
from connectors.gateway.problems import Problem, answer
from schemas.codec import Codec
from schemas.meta import Event
from schemas.registry import RegistryAway
from vaart import metrics
from vaart.clock import Clock

EVENTS = "/v1/events"
JSON_TYPES = frozenset({"application/json"})
AVRO_TYPES = frozenset({"application/vnd.confluent.avro", "avro/binary"})
"""One event in Confluent framing: a zero, four bytes of schema id, Avro."""

log = structlog.get_logger()


def application(keeper: Keeper, codec: Codec, clock: Clock) -> web.Application:
    """The gateway's routes."""
    route = _Events(keeper, codec, clock)
    app = web.Application(middlewares=[_answered])
    app.router.add_post(EVENTS, route.respond)
    app.on_response_prepare.append(_signed)
    return app


class _Events:
    """`POST /v1/events`."""

    def __init__(self, keeper: Keeper, codec: Codec, clock: Clock) -> None:
        self._keeper = keeper
        self._decode = codec.decoder(EVERY_INPUT)
        self._clock = clock
        self._bodies = Bodies()

    async def respond(self, request: web.Request) -> web.Response:
        is_avro = request.content_type in AVRO_TYPES
        if not is_avro and request.content_type not in JSON_TYPES:
            raise Problem(415, f"send {', '.join(sorted(JSON_TYPES | AVRO_TYPES))}")
        async with self._bodies.read(request) as raw:
            received_at = self._clock()
            if is_avro:
                return _one(await self._keep([await self._avro(raw, received_at)]))
            items, is_list = json_items(raw)
            outcomes = await self._keep(events_of(items, received_at))
        return _many(outcomes) if is_list else _one(outcomes)

    async def _avro(self, raw: bytes, received_at: int) -> Event:
        """In a thread: the first record of a schema asks the registry."""
        try:
            return await asyncio.to_thread(avro_event, raw, self._decode, received_at)
        except RegistryAway as error:
            log.warning("no_schema", error=str(error))
            raise Problem(
                503, "the schema registry is away; send it again", headers={"Retry-After": "5"}
            ) from None

    async def _keep(self, events: list[Event] | list[Event | Problem]) -> list[Event | Problem]:
        outcomes = await self._keeper.keep(events)
        for outcome in outcomes:
            channel, word = ("api", "published") if isinstance(outcome, Event) else ("api", _word(outcome))
            metrics.EVENTS_RECEIVED.labels(channel=channel, outcome=word).inc()
        return outcomes


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
    """Which software of which version answers is nobody's business."""
    response.headers["Server"] = "vaart"


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
