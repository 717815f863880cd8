"""The Faust app of a worker: membership, assignment and fetching, set up so that the engine owns the rest."""

import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.types.auth import CredentialsT

from streams.engine.lanes import Lanes
from streams.view import View
from vaart import kafka
from vaart.addresses import Addresses
from vaart.asyncio_kafka import asyncio_config
from vaart.settings import Settings

HEARTBEAT_S = 2.0
IDLE_S_MAX = 7 * 24 * 3600.0
"""aiokafka leaves the group when nothing was fetched for this long. A long restore, or lanes that stand still, are no
reason: whether a worker lives is told by its main loop."""
METADATA_AGE_S_MAX = 20.0
POLL_RECORDS_MAX = 8_000
FETCH_BYTES_MAX = 4 << 20
COMMIT_INTERVAL_S = 1.0


class LaneApp(faust.App):
    """A Faust app whose consumer asks `lanes` where to go on, and `is_replaced` before it joins its group again."""

    lanes: Lanes
    is_replaced: Callable[[str], Awaitable[bool]]


def instance_of(settings: Settings, instance: str) -> str:
    """The name under which a worker is known in its group: the one it was given, else the machine's."""
    return instance or settings.instance or re.sub(r"[^a-zA-Z0-9._-]", "-", socket.gethostname())


def lane_app(view: View, settings: Settings, addresses: Addresses, instance: str) -> LaneApp:
    """The app of `view` as the static member `instance` of its group."""
    folder = settings.state_dir / "faust" / view.name
    folder.mkdir(parents=True, exist_ok=True)
    credentials = _credentials(asyncio_config(kafka.admin_config(settings, addresses)))
    return LaneApp(
        settings.kafka.topic_prefix + view.group,
        broker=[f"batch://{server}" for server in addresses.kafka.split(",")],
        broker_credentials=credentials,
        store="memory://",
        datadir=str(folder),
        processing_guarantee="at_least_once",
        topic_partitions=settings.kafka.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=False,
        producer_threaded=False,
        web_enabled=False,
        consumer_auto_offset_reset="none",  # lanes say where to go on; what is not there any more ends the worker
        consumer_group_instance_id=instance,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        consumer_metadata_max_age_ms=int(METADATA_AGE_S_MAX * 1_000),
        broker_max_poll_interval=IDLE_S_MAX,
        broker_max_poll_records=POLL_RECORDS_MAX,
        broker_session_timeout=settings.kafka.session_timeout_s,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_commit_interval=COMMIT_INTERVAL_S,
        # The same name with another address crashes Faust's assignor; nothing listens there.
        canonical_url=f"http://{instance}",
        worker_redirect_stdouts=False,
    )


def _credentials(config: Mapping[str, Any]) -> CredentialsT | None:
    """What Faust calls an aiokafka client's credentials."""
    context = config.get("ssl_context")
    if config["security_protocol"].startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=config.get("sasl_mechanism"),
            username=config.get("sasl_plain_username"),
            password=config.get("sasl_plain_password"),
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
