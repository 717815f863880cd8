"""The real parts of a worker, picked by the settings: the log, the codec, the store."""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Protocol

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine.kafka_log import log_of
from streams.engine.replay import writers_of
from streams.engine.rocks_store import RocksStore
from streams.engine.stores import MemoryStore, Store
from streams.engine.surroundings import Surroundings
from streams.view import View
from vaart import clock
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway
from vaart.settings import Settings


class Coding(Protocol):
    """Bytes to records and back, resolved once per topic and type (schemas.codec.Codec)."""

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        """Reads what stands on `topic`."""

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        """Writes records of `struct` for `topic`."""


def surroundings_of(
    view: View,
    views: Iterable[View],
    settings: Settings,
    addresses: Addresses,
    codec: Coding,
    follows: int,
) -> Surroundings:
    """What the lanes of `view` share in this deployment. `views` are all of its views."""
    prefix, partitions = settings.kafka.topic_prefix, settings.kafka.partitions
    return Surroundings(
        view=view,
        log=log_of(settings, addresses, view.group + ".restore"),
        prefix=prefix,
        partitions=partitions,
        decoders={
            topic.name: codec.decoder(topic) for topic in (*view.sources, DEAD_LETTERS, SETTLED_LETTERS)
        },
        encoders=cache(partial(_encoder, codec)),
        writers=writers_of(view.sources, views, partitions),
        clock=clock.wall,
        is_replay=settings.clock == "replay",
        follows=follows,
    )


def store_of(view: View, settings: Settings, instance: str) -> Store:
    """Where the worker `instance` keeps its lanes' state: a folder of its own."""
    if settings.store == "memory":
        return MemoryStore()
    return RocksStore(settings.state_dir / "state" / f"{view.group}-{instance}")


def require_topics(around: Surroundings) -> None:
    """Raises ConfigFault where a topic is missing: Kafka would let us join a group over it, and wait for ever."""
    view = around.view
    names = [topic.name for topic in (*view.sources, *view.outputs, DEAD_LETTERS, SETTLED_LETTERS)]
    around.log.topic_ids([*names, view.changelog])


def require_schemas(around: Surroundings) -> None:
    """Raises ConfigFault where a schema that every lane writes is not registered, DependencyAway without a registry.

    Other schemas are asked for when they are first used.
    """
    try:
        for topic in around.view.outputs:
            around.encoders(topic, ClockAdvanced)
        around.encoders(DEAD_LETTERS, DeadLettered)
    except RegistryAway as error:
        raise DependencyAway(
            f"{error}.\nStart it (`vaart up` starts a local one), or set VAART_REGISTRY__URL to where it runs."
        ) from None


def _encoder(codec: Coding, topic: Topic, struct: type) -> Callable[[Any], bytes]:
    try:
        return codec.encoder(topic, struct)
    except SchemaUnknown as error:
        raise ConfigFault(str(error)) from error
