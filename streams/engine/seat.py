"""A worker's seat: the name under which it is a member of its group. Each name seats one process at a time."""

from collections.abc import Mapping
from typing import Any

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from vaart.errors import ConfigFault

ANSWER_WITHIN_S = 10.0

log = structlog.get_logger()


class SeatTaken(ConfigFault):
    """Another process runs under our name."""


class Seat:
    """The seat `instance` of the consumer group `group`."""

    def __init__(self, admin_config: Mapping[str, Any], group: str, instance: str) -> None:
        self._config = dict(admin_config)
        self._group = group
        self._instance = instance

    def taken(self, member_id: str) -> SeatTaken | None:
        """What to say where another than `member_id` sits there; None where nobody else does, or Kafka does not say.

        Kafka seats whoever came last, so the one who came first gives way.
        """
        admin = AdminClient(self._config)
        asked = admin.describe_consumer_groups([self._group], request_timeout=ANSWER_WITHIN_S)
        try:
            members = asked[self._group].result().members
        except KafkaException as error:
            log.warning("group_not_described", group=self._group, reason=error.args[0].name())
            return None
        others = [
            member
            for member in members
            if member.group_instance_id == self._instance and member.member_id != member_id
        ]
        return SeatTaken(self._words(others[0].host.lstrip("/"))) if others else None

    def _words(self, host: str) -> str:
        return (
            f"another process, at {host}, runs as {self._instance!r} in the group {self._group}: give each worker of a "
            "view a name of its own (--instance, or VAART_INSTANCE), or start several with --procs"
        )
