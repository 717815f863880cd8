"""Kafka Connect: records of any source connector that writes JSON, by a mapping for each topic.

| record | events |
| --- | --- |
| a document | of each rule of its topic whose `where` it fits, one |
| no value (a tombstone) | nothing |
| one of a topic that has no rules | rejected: write `topic: []` to pass it over |

```yaml
topics:
  till.receipts:
    - event: StoreVisited
      id: [/visit_id]
      fields: {store_id: text /store}
```

A rule is a mapping (`connectors.protocol.mapping`); its pointers begin at the value, and at the record's key behind
`key/`. Where schemas are sent `time` reads the times of them. Decimals come as numbers (`decimal.format=NUMERIC`).

Records come by `vaart serve queues`, from a topic that is configured; over HTTP a token of ours is asked for
(`Authorization`), and the topic follows the source's name: `/in/kafka_connect/{source}/{topic}`.
"""

from connectors.protocol import credentials, documents, facts, mapping
from connectors.protocol.channel import Channel, Evidence, Option, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.mapping import Rule
from connectors.protocol.mapping_faults import faults_of_all
from connectors.protocol.records import key_of
from connectors.vendors.connect import columns

MEDIUM = "web"
OTHERS = frozenset({"", "key"})

Topics = dict[str, list[Rule]]


def receive(request: Request, source: Source) -> Outcome:
    """One record."""
    if not credentials.are_right(request, source):
        return Refused("the token does not fit")
    if not request.body:
        return Verdict()
    try:
        rules = documents.fit(source.options.get("topics"), Topics).get(request.route.strip("/"))
        if rules is None:
            raise Unfit("its topic has no rules: add them to `topics`, or an empty list to pass it over")
        schema, value = columns.unwrapped(documents.parse(request.body))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    if value is None:
        return Verdict()
    found = columns.read(value, schema) if isinstance(value, dict) else value
    return mapping.all_told(rules, {"": found, "key": key_of(request)}, request, source)


CHANNEL = Channel(
    name="kafka_connect",
    title="Kafka Connect",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence("documented", "documented", "Apache Kafka's reference: Connect, JsonConverter"),
    options=(
        Option(
            "topics",
            "how records become events, by topic",
            is_required=True,
            is_map=True,
            faults=lambda told: faults_of_all(told, Topics, OTHERS),
        ),
    ),
)
