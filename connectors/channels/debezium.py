"""Debezium: changed rows of a shop's own tables (Postgres, MySQL), in JSON, by a mapping for each table.

| record | events |
| --- | --- |
| a row created, updated, deleted (`c`, `u`, `d`) | of each rule of its table whose `op` and `where` it fits, one |
| a row of a snapshot (`r`, or `source.snapshot`) | only of rules that list `r`: what stood there was not just placed |
| a row whose primary key changed (`d`, then `c`) | nothing of the first; the second counts as `u` |
| a tombstone, an emptied table (`t`), a message (`m`) | nothing |
| a row of a table that has no rules | rejected: write `table: []` to pass it over |

```yaml
tables:
  public.orders:                    # or orders; of MySQL shop.orders
    - event: OrderPlaced
      op: [c]                       # else [c, u]
      where: {/status: placed}
      id: [/id]
      occurred_at: time /created_at # else when the row changed
      customer: {email: /email}
      fields: {...}
```

A rule is a mapping (`connectors.protocol.mapping`); its pointers begin at the row: as it is now, or as it was where it
is deleted. `source/lsn` and the like are of Debezium's `source`, `key/id` of the record's key.

Values: with or without schema, Debezium's envelope or the row alone (ExtractNewRecordState with
`add.fields=op,table,source.ts_ms`). `decimal.handling.mode` must be `string`. Where schemas are sent `time` reads every
time of them; else say `micros`, `millis` or `days` as the column is. A `timestamp without time zone` counts as UTC.

Records come by `vaart serve queues`, from a topic that is configured; over HTTP a token of ours is asked for
(`Authorization`).
"""

from typing import Literal

from connectors.protocol import credentials, documents, facts, mapping
from connectors.protocol.channel import Channel, Evidence, Option, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.mapping import Rule
from connectors.protocol.mapping_faults import faults_of_all
from connectors.protocol.records import key_of
from connectors.vendors.connect import changes
from connectors.vendors.connect.changes import Change

MEDIUM = "web"
OTHERS = frozenset({"", "source", "key"})


class RowRule(Rule):
    """A mapping, and of which changes it is."""

    op: tuple[Literal["c", "u", "d", "r"], ...] = ("c", "u")


Tables = dict[str, list[RowRule]]


def receive(request: Request, source: Source) -> Outcome:
    """One record of a table's topic."""
    if not credentials.are_right(request, source):
        return Refused("the token does not fit")
    if not request.body:
        return Verdict()
    try:
        tables = documents.fit(source.options.get("tables"), Tables)
        change = changes.change_of(documents.parse(request.body), request)
        rules = [] if change is None else _rules(tables, change)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    if change is None:
        return Verdict()
    found = {"": change.row, "source": change.log, "key": key_of(request)}
    return mapping.all_told(rules, found, request, source, change.at)


def _rules(tables: Tables, change: Change) -> list[RowRule]:
    named = next((name for name in change.tables if name in tables), None)
    if named is None:
        raise Unfit("its table has no rules: add them to `tables`, or an empty list to pass it over")
    return [rule for rule in tables[named] if change.op in rule.op]


CHANNEL = Channel(
    name="debezium",
    title="Debezium",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "documented",
        "documented",
        "Debezium's reference: PostgreSQL, MySQL, New Record State Extraction",
    ),
    options=(
        Option(
            "tables",
            "how rows become events, by table",
            is_required=True,
            is_map=True,
            faults=lambda told: faults_of_all(told, Tables, OTHERS),
        ),
    ),
)
