"""Every metric of the house, with its labels; `vaart docs metrics` prints them.

Counters end in _total, units are base units. A label's values come from the deployment's own names (views, topics,
sinks) or from a closed list: no person, no key, no free text.
"""

from collections.abc import Sequence
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram, Info

from vaart import __version__

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
AGE_BUCKETS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0)
STATE_BYTES_BUCKETS = (100, 1_000, 10_000, 50_000, 100_000, 250_000, 500_000, 900_000)
ROWS_BUCKETS = (1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 50_000)


class Documented(NamedTuple):
    """A metric as a reader of dashboards knows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    words: str


DOCUMENTED: list[Documented] = []
"""Every metric below, in its order."""


def _counter(name: str, words: str, *labels: str) -> Counter:
    DOCUMENTED.append(Documented(name, "counter", labels, words))
    return Counter(name, words, labels)


def _gauge(name: str, words: str, *labels: str) -> Gauge:
    DOCUMENTED.append(Documented(name, "gauge", labels, words))
    return Gauge(name, words, labels)


def _histogram(name: str, words: str, *labels: str, buckets: Sequence[float]) -> Histogram:
    DOCUMENTED.append(Documented(name, "histogram", labels, words))
    return Histogram(name, words, labels, buckets=buckets)


BUILD_INFO = Info("vaart_build", "The version that runs.")
BUILD_INFO.info({"version": __version__})
DOCUMENTED.append(Documented("vaart_build_info", "info", ("version",), "The version that runs."))

# The way in.
EVENTS_RECEIVED = _counter(
    "vaart_events_received_total",
    "Events that came in, by what became of them: published, or the kind of error.",
    "channel",
    "outcome",
)
REQUEST_SECONDS = _histogram(
    "vaart_request_duration_seconds",
    "From the request's head to its answer, by route and status.",
    "route",
    "status",
    buckets=LATENCY_BUCKETS_S,
)
BYTES_IN_FLIGHT = _gauge("vaart_request_bytes_in_flight", "Bytes of request bodies that the gateway holds.")
REQUESTS = _counter(
    "vaart_requests_total",
    "Requests of sources, by what they came to: taken, challenged, refused, malformed, overloaded, limited.",
    "channel",
    "outcome",
)
SOURCE_HEARD = _gauge(
    "vaart_source_heard_timestamp_seconds",
    "When a source was last heard: a request was taken, or a poll answered. One that falls silent is an alert.",
    "channel",
    "source",
)
DROP_FILES = _counter(
    "vaart_drop_files_total",
    "Files that were dropped, by what became of them: taken, known (the same was taken before), refused, passed_over.",
    "source",
    "outcome",
)
FETCHES = _counter(
    "vaart_fetches_total",
    "What requests pointed at and was asked for: answered, declined by its source, unknown, given up, or not asked.",
    "outcome",
)
SOURCE_SILENT_AFTER = _gauge(
    "vaart_source_silent_after_seconds",
    "After how long without a request a source counts as silent (`silent_after_s` of its entry).",
    "channel",
    "source",
)
REFUSALS = _counter(
    "vaart_requests_refused_total",
    "Requests that did not prove whose they are, or are a paused source's; without a source where none has the name.",
    "channel",
    "source",
)
PLAN_VIOLATIONS = _counter(
    "vaart_plan_violations_total",
    "What is not as a source's tracking plan says: unplanned_event, unplanned_field, missing, unfit, not_allowed.",
    "channel",
    "source",
    "reason",
)
SPOOLING = _gauge("vaart_spooling", "1 while Kafka does not take all of what comes in, and the disk does.")
SPOOL_BYTES = _gauge("vaart_spool_bytes", "Bytes on the disk that Kafka has not got.")

# Kafka out.
EVENTS_PUBLISHED = _counter("vaart_events_published_total", "Records that Kafka acknowledged.", "topic")
PUBLISH_SECONDS = _histogram(
    "vaart_publish_duration_seconds",
    "From handing a request's records to Kafka to its acknowledgement.",
    buckets=LATENCY_BUCKETS_S,
)

# Workers and sinks. `app` and `group` are the consumer group without the deployment's prefix.
EVENTS_PROCESSED = _counter(
    "vaart_events_processed_total",
    "Records taken off a topic, by what became of them: applied or dead in a sink; committed in a view, where the "
    "dead are among them and counted by vaart_dlq_records_total, too.",
    "app",
    "topic",
    "outcome",
)
EVENTS_SKIPPED = _counter(
    "vaart_events_skipped_total",
    "Events that changed nothing, by the view's word for why: duplicate, late ...",
    "app",
    "word",
)
EVENT_AGE_SECONDS = _histogram(
    "vaart_event_age_seconds",
    "From when an event happened to when its effect was committed; in a view that of each batch's last event.",
    "app",
    buckets=AGE_BUCKETS_S,
)
DEAD_LETTERS = _counter(
    "vaart_dlq_records_total", "Records put aside, by reason (a closed list).", "topic", "reason"
)
CONSUMER_LAG_RECORDS = _gauge(
    "vaart_consumer_lag_records",
    "Records between what is committed and the topic's end; transaction markers that end a topic do not count.",
    "group",
    "topic",
    "partition",
)
CONSUMER_LAG_SECONDS = _gauge(
    "vaart_consumer_lag_seconds",
    "How long ago the oldest record was sent that is not committed, or since when there has been one.",
    "group",
    "topic",
    "partition",
)
COMMITTED_OFFSET = _gauge(
    "vaart_committed_offset", "The offset to go on from.", "group", "topic", "partition"
)
PROGRESS_TIMESTAMP = _gauge(
    "vaart_progress_timestamp_seconds",
    "When this service last took a step, or found that there was none to take.",
    "app",
)
REBALANCES = _counter("vaart_rebalances_total", "Assignments taken or lost.", "group")
QUEUE_DEPTH = _gauge(
    "vaart_queue_depth", "Records that wait inside this process, by group:topic:partition.", "queue"
)

# Views: a lane is one partition number of all of a view's sources.
LANES_OPEN = _gauge("vaart_lanes_open", "Lanes that this worker has; 0 for one that is a spare.", "app")
LANE_STOPPED = _gauge(
    "vaart_lane_stopped",
    "1 while a lane folds nothing because too many of its records became dead letters (`vaart dlq resume`).",
    "app",
    "lane",
)
BATCH_SECONDS = _histogram(
    "vaart_process_duration_seconds",
    "From taking a batch to its commit.",
    "app",
    buckets=LATENCY_BUCKETS_S,
)
BATCH_RECORDS = _histogram(
    "vaart_batch_records", "Records that one commit of a lane folded.", "app", buckets=ROWS_BUCKETS
)
TRANSACTION_SECONDS = _histogram(
    "vaart_transaction_duration_seconds",
    "From beginning a lane's transaction to its commit.",
    "app",
    buckets=LATENCY_BUCKETS_S,
)
TABLE_RECOVERY_SECONDS = _gauge(
    "vaart_table_recovery_seconds", "How long the worker took to open the lanes it was last assigned.", "app"
)
RESTORE_RECORDS = _counter(
    "vaart_restore_records_total", "Records of state that were read back from changelogs.", "app"
)
RESTORE_REMAINING = _gauge(
    "vaart_restore_remaining_records",
    "Offsets that a lane's restore has still to read; 0 when none is under way.",
    "app",
    "lane",
)
TABLE_ENTRIES = _gauge(
    "vaart_table_entries", "Records of state that this worker keeps, as its store estimates.", "app"
)
HOT_KEY_SHARE = _gauge(
    "vaart_hot_key_share",
    "The busiest key's share of the records in a lane's last commit: near 1 under load means one hot key.",
    "app",
    "lane",
)
STATE_BYTES = _histogram(
    "vaart_state_bytes",
    "The largest head of each commit, encoded. Kafka's limit of a record is near 1,000,000.",
    "app",
    buckets=STATE_BYTES_BUCKETS,
)

# Sinks.
SINK_BATCH_ROWS = _histogram(
    "vaart_sink_batch_rows", "Rows in one transaction.", "sink", buckets=ROWS_BUCKETS
)
SINK_COMMIT_SECONDS = _histogram(
    "vaart_sink_commit_seconds", "One transaction, writing and commit.", "sink", buckets=LATENCY_BUCKETS_S
)
SINK_PAUSED = _gauge("vaart_sink_paused", "1 while the sink waits for the far side to come back.", "sink")

# Notifications.
NOTIFICATIONS = _counter(
    "vaart_notifications_total", "Notifications by what became of them.", "medium", "outcome"
)
