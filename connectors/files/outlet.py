"""Where a connector's events leave: routed, encoded, published; and the clock of a replay on every partition."""

from collections.abc import Callable, Iterable
from typing import Protocol

from schemas.codec import Codec, Encode
from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.identifiers import SecretMissing
from schemas.meta import Event
from schemas.registry import Registry, RegistryAway, SchemaRefused, SchemaUnknown
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, route
from vaart import kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway
from vaart.settings import Settings


class Outlet(Protocol):
    """What a sender and a replay publish through."""

    def publish(self, event: Event) -> None:
        """Hands an event over. Raises the failure of an earlier one, if there was any."""

    def advance(self, topics: Iterable[Topic], clock: ClockAdvanced) -> None:
        """After this the clock stands on every partition of the topics, behind all that was published before."""

    def flush(self) -> None:
        """After this every record is acknowledged. Raises the first failure."""


class KafkaOutlet:
    """An outlet to Kafka: one idempotent producer, so that the records of a partition keep their order."""

    def __init__(self, settings: Settings, addresses: Addresses, registry: Registry) -> None:
        self._settings = settings
        self._addresses = addresses
        self._secret = settings.identifier_secret.get_secret_value()
        self._codec = Codec(registry, settings.kafka.topic_prefix)
        self._encoders: dict[tuple[Topic, type], Encode] = {}
        self._publisher = kafka.Publisher(settings, addresses)

    def __enter__(self) -> "KafkaOutlet":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._publisher.close()

    def publish(self, event: Event) -> None:
        try:
            topic, key = route(event, self._secret)
        except SecretMissing as error:
            raise ConfigFault(str(error)) from None
        self._publisher.publish(topic.name, key, self._encoder(topic, type(event))(event))

    def dead_letter(self, letter: DeadLettered) -> None:
        """Hands a dead letter over."""
        value = self._encoder(DEAD_LETTERS, DeadLettered)(letter)
        self._publisher.publish(DEAD_LETTERS.name, f"{letter.source_topic}:{letter.partition}", value)

    def advance(self, topics: Iterable[Topic], clock: ClockAdvanced) -> None:
        key = f"clock:{clock.writer}:{clock.lane}"
        for topic in topics:
            value = self._encoder(topic, ClockAdvanced)(clock)
            self._publisher.publish_everywhere(topic.name, key, value)

    def flush(self) -> None:
        self._publisher.flush()

    def _encoder(self, topic: Topic, struct: type) -> Encode:
        found = self._encoders.get((topic, struct))
        if found is None:
            found = self._encoders[topic, struct] = _asked(self._codec.encoder, topic, struct)
        return found


def _asked(encoder: Callable[[Topic, type], Encode], topic: Topic, struct: type) -> Encode:
    try:
        return encoder(topic, struct)
    except SchemaUnknown as error:
        raise ConfigFault(str(error)) from None
    except (RegistryAway, SchemaRefused) as error:
        raise DependencyAway(str(error)) from None


class Rehearsal:
    """An outlet that leads nowhere and keeps the first events of each kind, as examples."""

    def __init__(self, examples_each: int) -> None:
        self.examples: dict[str, list[Event]] = {}
        self._each = examples_each

    def publish(self, event: Event) -> None:
        kept = self.examples.setdefault(type(event).__name__, [])
        if len(kept) < self._each:
            kept.append(event)

    def advance(self, topics: Iterable[Topic], clock: ClockAdvanced) -> None:
        """There is no clock to move."""

    def flush(self) -> None:
        """There is nothing to wait for."""
