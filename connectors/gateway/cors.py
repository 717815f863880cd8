"""What browsers are allowed to send from other pages, and to read of the answers.

The requested headers are echoed: `*` does not cover Authorization, nor requests with credentials, and clients ask for
more of them on a retry than on the first attempt (developer.mozilla.org, "CORS"; seen of the clients themselves).
"""

from collections.abc import Collection

from aiohttp import web

PREFLIGHT_KEPT_S = 600
READABLE = "Retry-After, X-Request-Id"
NAMES_MAX = 2_000
ANY = "*"
SENDER, RECEIVES, RATE = "WebHook-Request-Origin", "WebHook-Allowed-Origin", "WebHook-Allowed-Rate"
"""By these a sender of CloudEvents asks whether it may: a request still has to prove itself (cloudevents/spec, "HTTP
1.1 Web Hooks for Event Delivery")."""


def is_allowed(origin: str, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` may send; `allowed` has origins, `https://*.shop.example`, or `*`."""
    if ANY in allowed or origin in allowed:
        return True
    scheme, _, host = origin.partition("://")
    return any(
        host.endswith(each.partition("://*")[2])
        for each in allowed
        if each.startswith(f"{scheme}://*.") and host
    )


def preflight(request: web.Request, allowed: Collection[str]) -> web.Response:
    """The answer to a browser that asks whether it may send."""
    headers = dict(of(request, allowed))
    if SENDER in request.headers:
        return web.Response(
            headers={RECEIVES: request.headers[SENDER][:NAMES_MAX], RATE: ANY, "Allow": "POST"}
        )
    if headers:
        headers["Access-Control-Allow-Methods"] = request.headers.get("Access-Control-Request-Method", "POST")
        asked = request.headers.get("Access-Control-Request-Headers", "")
        if asked:
            headers["Access-Control-Allow-Headers"] = asked[:NAMES_MAX]
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_KEPT_S)
    return web.Response(status=204, headers=headers)


def of(request: web.Request, allowed: Collection[str]) -> dict[str, str]:
    """The headers of an answer that a page may read; none where its origin is not allowed."""
    origin = request.headers.get("Origin", "")
    if not origin or not is_allowed(origin, allowed):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": READABLE,
        "Vary": "Origin",
    }
