"""A topic: its name, its key, the record types on it, and its settings at the broker."""

from dataclasses import dataclass
from typing import Literal

from schemas.events.clock import ClockAdvanced
from schemas.keys import Key

DAY_MS = 24 * 60 * 60 * 1000
MAX_RECORD_BYTES = 1_048_576

_EVENT_SETTINGS = {"cleanup.policy": "delete"}
_STATE_SETTINGS = {
    "cleanup.policy": "compact",
    "max.compaction.lag.ms": str(DAY_MS),
    "delete.retention.ms": str(7 * DAY_MS),
    "segment.ms": str(DAY_MS // 4),
    "min.cleanable.dirty.ratio": "0.1",
}


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """One topic, without the deployment's prefix. Those that channels publish to (`is_input`) have a `key`.

    Public topics are promised to others. The clock (`ClockAdvanced`) may stand on every topic.
    """

    name: str
    events: tuple[type, ...]
    key: Key | None = None
    cleanup: Literal["delete", "compact"] = "delete"
    retention_days: int = 28
    is_public: bool = True
    record_bytes_max: int = MAX_RECORD_BYTES

    @property
    def is_input(self) -> bool:
        """Whether connectors and channel teams write to it."""
        return self.key is not None

    @property
    def carries(self) -> tuple[type, ...]:
        """Every record type that may stand on it, the clock included."""
        return (*self.events, ClockAdvanced)

    def config(self, replication_factor: int = 1) -> dict[str, str]:
        """The broker's settings of this topic, as Kafka names them."""
        kept = {"retention.ms": str(self.retention_days * DAY_MS)} if self.cleanup == "delete" else {}
        return {
            **(_EVENT_SETTINGS if self.cleanup == "delete" else _STATE_SETTINGS),
            **kept,
            "max.message.bytes": str(self.record_bytes_max),
            # A broker that compresses anew what it is given spends a fifth of its time on the way in.
            "compression.type": "producer",
            "min.insync.replicas": str(max(1, replication_factor - 1)),
            "unclean.leader.election.enable": "false",
        }
