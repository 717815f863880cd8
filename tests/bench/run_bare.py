"""The least that a way in does, to compare with: a body into Kafka as it came, and an answer when it is there.

`python -m tests.bench.run_bare PORT TOPIC`
"""

import asyncio
import os
import sys
from functools import partial
from threading import Thread
from typing import Any

from aiohttp import web
from confluent_kafka import KafkaException, Producer

PORT, TOPIC = int(sys.argv[1]), sys.argv[2]
SETTINGS = {
    "bootstrap.servers": os.environ["VAART_KAFKA__BOOTSTRAP_SERVERS"],
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 5,
}


def reported(
    loop: asyncio.AbstractEventLoop, acknowledged: "asyncio.Future[None]", error: Any, _: Any
) -> None:
    if error is None:
        loop.call_soon_threadsafe(acknowledged.set_result, None)
    else:
        loop.call_soon_threadsafe(acknowledged.set_exception, KafkaException(error))


def main() -> None:
    """Answers until it is told to end."""
    producer = Producer(SETTINGS)

    def poll() -> None:
        while True:
            producer.poll(0.1)

    async def take(request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        acknowledged = loop.create_future()
        producer.produce(TOPIC, await request.read(), on_delivery=partial(reported, loop, acknowledged))
        await acknowledged
        return web.Response()

    Thread(target=poll, daemon=True).start()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    web.run_app(app, host="127.0.0.1", port=PORT, access_log=None, print=None)


if __name__ == "__main__":
    main()
