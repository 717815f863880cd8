"""What became of a writer's last transaction, which the brokers' coordinator tells until the next writer takes over.

A broker that starts again may pass by the markers of a transaction whose end was decided before it died (Kafka 4.4:
"couldn't find leader endpoint … can be skipped"). Such a transaction stays undecided in those partitions, and ends as
the next one of the same transactional id ends there, whatever its own end was (deploy/decisions/0024). Wire format:
DescribeTransactions, KIP-664.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

from streams.engine.log import Fate

TRANSACTION = 1
"""The type of coordinator that is looked for."""
RETRY_S = 0.2
UNKNOWN_ID = 105
"""The coordinator's answer for a transactional id that was never used, or not for a week."""
TEXT, TAGS = CompactString("utf-8"), ("tags", TaggedFields)


FATES = {
    "PrepareCommit": Fate.COMMITTED,
    "CompleteCommit": Fate.COMMITTED,
    "PrepareAbort": Fate.ABORTED,
    "PrepareEpochFence": Fate.ABORTED,
    "CompleteAbort": Fate.ABORTED,
}


class Unanswered(Exception):
    """The coordinator gave no answer in time, or refused to."""


class _Described(Response):  # type: ignore[misc]
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transactions",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", TEXT),
                ("state", TEXT),
                ("timeout_ms", Int32),
                ("started_at_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("topics", CompactArray(("topic", TEXT), ("partitions", CompactArray(Int32)), TAGS)),
                TAGS,
            ),
        ),
        TAGS,
    )


class _DescribeStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 65
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Described
    SCHEMA = Schema(("transactional_ids", CompactArray(TEXT)), TAGS)


class _Describe(Request[_DescribeStruct]):  # type: ignore[misc]
    API_KEY = 65

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, request_struct_class: type[_DescribeStruct]) -> _DescribeStruct:
        return request_struct_class([self._name], {})


def fate_of(config: Mapping[str, Any], name: str, within_s: float) -> Fate:
    """How the last transaction under the transactional id `name` was to end.

    `config` is an aiokafka client's. Blocks; not to be called from a running event loop. Raises Unanswered where the
    coordinator has not answered `within_s`, or refuses to.
    """
    try:
        return asyncio.run(_fate(config, name, within_s))
    except TimeoutError:
        raise Unanswered(f"no answer within {within_s:.0f} s") from None
    except errors.KafkaError as error:
        raise Unanswered(type(error).__name__) from error


async def _fate(config: Mapping[str, Any], name: str, within_s: float) -> Fate:
    async with asyncio.timeout(within_s):
        while True:
            try:
                return FATES.get(await _state(config, name), Fate.OPEN)
            except errors.KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(RETRY_S)


async def _state(config: Mapping[str, Any], name: str) -> str:
    client = AIOKafkaClient(**config)
    await client.bootstrap()
    try:
        broker = await client.coordinator_lookup(TRANSACTION, name)
        answer: Any = await client.send(broker, _Describe(name))
    finally:
        await client.close()
    ((code, _, state, *_),) = answer.transactions
    if code not in (0, UNKNOWN_ID):
        raise errors.for_code(code)
    return str(state)
