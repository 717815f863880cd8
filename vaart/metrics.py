"""Every metric of the house. No person, key or free text in labels; counters end in _total; base units."""

from prometheus_client import Counter, Gauge, Histogram, Info

from vaart import __version__

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
AGE_BUCKETS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0)
STATE_BYTES_BUCKETS = (100, 1_000, 10_000, 50_000, 100_000, 250_000, 500_000, 900_000)
ROWS_BUCKETS = (1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 50_000)

BUILD_INFO = Info("vaart_build", "The version that runs.")
BUILD_INFO.info({"version": __version__})

# The way in.
EVENTS_RECEIVED = Counter(
    "vaart_events_received_total",
    "Events that came in, by what became of them: published, or the kind of error.",
    ["channel", "outcome"],
)
REQUEST_SECONDS = Histogram(
    "vaart_request_duration_seconds",
    "From the request's head to its answer, by route and status.",
    ["route", "status"],
    buckets=LATENCY_BUCKETS_S,
)
BYTES_IN_FLIGHT = Gauge("vaart_request_bytes_in_flight", "Bytes of request bodies that the gateway holds.")

# Kafka out.
EVENTS_PUBLISHED = Counter("vaart_events_published_total", "Records that Kafka acknowledged.", ["topic"])
PUBLISH_SECONDS = Histogram(
    "vaart_publish_duration_seconds",
    "From handing a request's records to Kafka to its acknowledgement.",
    buckets=LATENCY_BUCKETS_S,
)

# Workers and sinks.
EVENTS_PROCESSED = Counter(
    "vaart_events_processed_total",
    "Records taken off a topic, by what became of them: applied, skipped, or dead.",
    ["app", "topic", "outcome"],
)
EVENTS_SKIPPED = Counter(
    "vaart_events_skipped_total",
    "Events that changed nothing, by the view's word for why: duplicate, late ...",
    ["app", "word"],
)
BATCH_SECONDS = Histogram(
    "vaart_process_duration_seconds",
    "From taking a batch to its commit.",
    ["app"],
    buckets=LATENCY_BUCKETS_S,
)
BATCH_RECORDS = Histogram(
    "vaart_batch_records", "Records that one commit of a lane folded.", ["app"], buckets=ROWS_BUCKETS
)
EVENT_AGE_SECONDS = Histogram(
    "vaart_event_age_seconds",
    "From when the event happened to when its effect was committed.",
    ["app"],
    buckets=AGE_BUCKETS_S,
)
DEAD_LETTERS = Counter(
    "vaart_dlq_records_total", "Records put aside, by reason (a closed list).", ["topic", "reason"]
)
LANE_STOPPED = Gauge(
    "vaart_lane_stopped",
    "1 while a lane folds nothing because too many of its records became dead letters (`vaart dlq resume`).",
    ["app", "lane"],
)
CONSUMER_LAG_RECORDS = Gauge(
    "vaart_consumer_lag_records",
    "Records between the committed offset and the end.",
    ["group", "topic", "partition"],
)
CONSUMER_LAG_SECONDS = Gauge(
    "vaart_consumer_lag_seconds",
    "Age of the oldest record that is not committed.",
    ["group", "topic", "partition"],
)
COMMITTED_OFFSET = Gauge("vaart_committed_offset", "The next offset.", ["group", "topic", "partition"])
PROGRESS_TIMESTAMP = Gauge(
    "vaart_progress_timestamp_seconds",
    "When this service last took a step, or found that there was none to take.",
    ["app"],
)
REBALANCES = Counter("vaart_rebalances_total", "Assignments taken or lost.", ["group"])
QUEUE_DEPTH = Gauge("vaart_queue_depth", "Records that wait inside this process.", ["queue"])

# Views.
TABLE_RECOVERY_SECONDS = Gauge(
    "vaart_table_recovery_seconds", "How long the last restore of a lane took.", ["app"]
)
HOT_KEY_SHARE = Gauge(
    "vaart_hot_key_share",
    "The busiest key's share of the records in a lane's last commit: near 1 under load means one hot key.",
    ["app", "lane"],
)
STATE_BYTES = Histogram(
    "vaart_state_bytes",
    "The largest head of each commit, encoded. Kafka's limit of a record is near 1,000,000.",
    ["app"],
    buckets=STATE_BYTES_BUCKETS,
)
TABLE_ENTRIES = Gauge("vaart_table_entries", "Keys with a state.", ["app"])

# Sinks.
SINK_BATCH_ROWS = Histogram(
    "vaart_sink_batch_rows", "Rows in one transaction.", ["sink"], buckets=ROWS_BUCKETS
)
SINK_COMMIT_SECONDS = Histogram(
    "vaart_sink_commit_seconds", "One transaction, writing and commit.", ["sink"], buckets=LATENCY_BUCKETS_S
)
SINK_PAUSED = Gauge("vaart_sink_paused", "1 while the sink waits for the far side to come back.", ["sink"])

# Notifications.
NOTIFICATIONS = Counter(
    "vaart_notifications_total", "Notifications by what became of them.", ["medium", "outcome"]
)
