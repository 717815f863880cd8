"""The counting view as a Quix Streams application, run by the interpreter that has it: `python run_quix.py`.

Everything is told by the environment. Of ours nothing is imported: this interpreter has none of it.
"""

import json
import os
import struct
from pathlib import Path
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.models.serializers.avro import (  # type: ignore[import-not-found]
    AvroDeserializer,
    AvroSerializer,
    SerializationContext,
)

FRAME_BYTES = 5


class Unframed(AvroDeserializer):  # type: ignore[misc]
    """Its Avro behind a registry's frame. Its own way to a registry goes through one more library and costs more."""

    def __call__(self, value: bytes, ctx: SerializationContext) -> Any:
        return super().__call__(value[FRAME_BYTES:], ctx)


class Framed(AvroSerializer):  # type: ignore[misc]
    """The same on the way out."""

    def __init__(self, schema: Any, schema_id: int) -> None:
        super().__init__(schema)
        self._frame = struct.pack(">bI", 0, schema_id)

    def __call__(self, value: Any, ctx: SerializationContext) -> bytes:
        return self._frame + bytes(super().__call__(value, ctx))


def count(viewed: dict[str, Any], state: Any) -> dict[str, Any]:
    """Counts the pages that a visitor has seen."""
    meta = viewed["meta"]
    at = meta["occurred_at"]
    known = state.get("visitor")
    if known is None:
        known = {"views": 0, "first_at": at, "last_at": at}
    known["views"] += 1
    known["last_at"] = max(known["last_at"], at)
    known["last_path"] = viewed["path"]
    state.set("visitor", known)
    return {"seq": 0, "updated_at": known["last_at"], "visitor": meta["identifiers"][0]["value"], **known}


def main() -> None:
    """Runs until SIGTERM."""
    told = os.environ
    page_viewed, counted = json.loads(Path(told["BENCH_SCHEMAS"]).read_text())
    app = Application(
        broker_address=told["BENCH_BROKER"],
        consumer_group=told["BENCH_GROUP"],
        auto_offset_reset="earliest",
        processing_guarantee=told["BENCH_GUARANTEE"],
        commit_interval=int(told["BENCH_COMMIT_MS"]) / 1_000,
        state_dir=told["BENCH_STATE"],
        producer_extra_config={
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": int(told["BENCH_LINGER_MS"]),
        },
    )
    views = app.topic(told["BENCH_INPUT"], key_deserializer="str", value_deserializer=Unframed(page_viewed))
    counts = app.topic(
        told["BENCH_OUTPUT"],
        key_serializer="str",
        value_serializer=Framed(counted, int(told["BENCH_SCHEMA_ID"])),
    )
    app.dataframe(views).apply(count, stateful=True).to_topic(counts)
    app.run()


if __name__ == "__main__":
    main()
