"""What the gateway answers when it does not take a request: problem details (RFC 9457)."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

CONTENT_TYPE = "application/problem+json"
FAULTS_MAX = 20
"""Faults told per event; more would help nobody."""

TITLES = {
    400: "The request is not well formed",
    404: "There is nothing here",
    405: "This method is not answered here",
    406: "This form of answer is not known",
    408: "The body came too slowly",
    413: "The request is too large",
    415: "This content type is not read here",
    422: "The event does not fit its schema",
    500: "The gateway has a fault",
    503: "The event cannot be kept right now",
}


class Problem(Exception):
    """A request, or one event of it, that is not taken. `detail` says what to do and shows no part of it."""

    def __init__(
        self,
        status: int,
        detail: str,
        faults: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = faults or []
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        found: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "The request is not taken"),
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            found["errors"] = self.faults[:FAULTS_MAX]
        return found


def answer(problem: Problem, **members: Any) -> web.Response:
    """The response for a problem, with further members beside its own."""
    return web.Response(
        status=problem.status,
        body=json.dumps({**problem.body(), **members}).encode(),
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers),
    )
