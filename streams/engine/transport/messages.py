"""A batch of one partition's records as one message of Faust, and the schema that leaves it as it is."""

from typing import Any

import faust
from aiokafka.structs import ConsumerRecord
from faust.types import TP, ConsumerMessage


class BatchMessage(ConsumerMessage):
    """Records of one partition in their order, or none where the position moved past transaction markers alone.

    `since` is where the partition stood before them, -1 where that is not known; `reached` is the position behind them,
    markers included. `epoch` tells what was fetched before a seek from what was
    fetched after it.
    """

    __slots__ = ("epoch", "reached", "records", "since")

    records: list[ConsumerRecord]
    since: int
    reached: int
    epoch: int


class BatchSchema(faust.Schema):  # type: ignore[type-arg]
    """Decodes nothing: an agent's event has the BatchMessage as its value."""

    def compile(self, app: Any, **_: Any) -> Any:
        create_event = app.create_event

        async def decode(message: BatchMessage, *, propagate: bool = False) -> Any:
            return create_event(None, message, None, message)

        return decode


def batch(
    tp: TP, records: list[ConsumerRecord], since: int, reached: int, epoch: int, generation: int
) -> BatchMessage:
    """A message that a stream takes as long as the group's `generation` lasts."""
    last = records[-1] if records else None
    message = BatchMessage(
        tp.topic,
        tp.partition,
        reached - 1 if last is None else last.offset,
        0.0 if last is None else last.timestamp / 1000.0,
        0 if last is None else last.timestamp_type,
        None,
        None,
        None,
        None,
        0,
        0,
        tp,
        generation_id=generation,
    )
    message.records, message.since, message.reached, message.epoch = records, since, reached, epoch
    return message
