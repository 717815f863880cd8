"""What is no HTTP is answered like all else: aiohttp itself would quote it, and tell its own name and version."""

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from connectors.gateway.problems import Problem, answer

SERVER = "vaart"
"""Which software of which version answers is nobody's business."""


class Runner(web.AppRunner):
    """Runs an application whose malformed requests get a problem document that shows nothing of them."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer is sent")
        found = answer(Problem(status, "send a well formed HTTP request", headers={"Server": SERVER}))
        found.force_close()
        return found
