"""The counting view as a Faust app, as Faust ships: `python -m tests.bench.run_faust worker`.

What its documentation advises: RocksDB tables through rocksdict, Avro as a codec, no model where none is needed.
Where there was a choice, it is the faster one: dicts rather than models, and schemas without logical types.
"""

import io
import os
from collections.abc import AsyncIterable
from typing import Any

import faust
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from faust.serializers import codecs

from schemas.avsc import schema_of
from schemas.codec import frame
from schemas.coders import FRAME_BYTES
from schemas.events.activity import PageViewed
from schemas.registry import Registry
from tests.bench.ground import PARTITIONS
from tests.bench.page_views import COUNTED_SCHEMA, FAUST_COUNTS, VIEWS, counted_subject, without_units

PREFIX = os.environ["VAART_KAFKA__TOPIC_PREFIX"]
GROUP = PREFIX + "faust"
BROKER, REGISTRY = os.environ["VAART_KAFKA__BOOTSTRAP_SERVERS"], os.environ["VAART_REGISTRY__URL"]


class Avro(faust.Codec):
    """Confluent framing around fastavro."""

    def __init__(self, schema: Any, schema_id: int = 0, **_: Any) -> None:
        super().__init__(schema=schema, schema_id=schema_id)
        self._schema = parse_schema(without_units(schema))
        self._frame = frame(schema_id)

    def _loads(self, s: bytes) -> Any:
        return schemaless_reader(io.BytesIO(s[FRAME_BYTES:]), self._schema)

    def _dumps(self, s: Any) -> bytes:
        written = io.BytesIO()
        written.write(self._frame)
        schemaless_writer(written, self._schema, s)
        return written.getvalue()


codecs.register("page_viewed", Avro(schema_of(PageViewed)))
codecs.register(
    "visitor_counted",
    Avro(COUNTED_SCHEMA, Registry(REGISTRY).id_of(counted_subject(PREFIX), COUNTED_SCHEMA)),
)

app = faust.App(
    GROUP,
    broker=f"kafka://{BROKER}",
    store="rocksdb://",
    datadir=os.environ["VAART_STATE_DIR"] + "/faust-as-it-ships",
    topic_partitions=PARTITIONS,
    consumer_auto_offset_reset="earliest",
)
views = app.topic(PREFIX + VIEWS.name, key_type=str, key_serializer="raw", value_serializer="page_viewed")
counts = app.topic(
    PREFIX + FAUST_COUNTS.name, key_type=str, key_serializer="raw", value_serializer="visitor_counted"
)
visitors = app.Table("visitors", partitions=PARTITIONS, options={"driver": "rocksdict"})


@app.agent(views)
async def count(stream: Any) -> None:
    """Counts the pages that a visitor has seen."""
    events: AsyncIterable[tuple[str, dict[str, Any]]] = stream.items()
    async for visitor, viewed in events:
        at = viewed["meta"]["occurred_at"]
        known = visitors.get(visitor) or {"views": 0, "first_at": at, "last_at": at}
        known["views"] += 1
        known["last_at"] = max(known["last_at"], at)
        known["last_path"] = viewed["path"]
        visitors[visitor] = known
        await counts.send(
            key=visitor, value={"seq": 0, "updated_at": known["last_at"], "visitor": visitor, **known}
        )


if __name__ == "__main__":
    app.main()
