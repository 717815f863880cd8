"""Dead letters: records that cannot be read or written are set aside with their bytes, and Kafka acknowledges it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS
from vaart import __version__, metrics
from vaart.clock import Clock
from vaart.kafka import Publisher

DETAIL_LENGTH_MAX = 1024

SERVICE = "sink-postgres"


@dataclass(frozen=True, slots=True)
class Letter:
    """One record that was set aside: where it is, at which stage it failed, why, and its bytes as they came."""

    topic: str
    partition: int
    offset: int
    stage: str
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    schema_id: int | None = None


class Post:
    """Sends letters to the dead-letter topic."""

    def __init__(self, publisher: Publisher, encode: Callable[[DeadLettered], bytes], clock: Clock) -> None:
        self._publisher = publisher
        self._encode = encode
        self._clock = clock

    def send(self, letters: Sequence[Letter]) -> None:
        """Kafka has every letter. Raises what the Publisher raises: nothing may be committed past an unsent one."""
        for letter in letters:
            value = self._encode(self._dead_lettered(letter))
            self._publisher.publish(DEAD_LETTERS.name, f"{letter.topic}:{letter.partition}", value)
        self._publisher.flush()
        for letter in letters:
            metrics.DEAD_LETTERS.labels(topic=letter.topic, reason=letter.reason).inc()

    def _dead_lettered(self, letter: Letter) -> DeadLettered:
        return DeadLettered(
            service=SERVICE,
            stage=letter.stage,
            reason=letter.reason,
            detail=letter.detail[:DETAIL_LENGTH_MAX],
            source_topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            key=letter.key,
            value=letter.value,
            schema_id=letter.schema_id,
            attempt=1,
            first_seen_at=self._clock(),
            service_version=__version__,
        )
