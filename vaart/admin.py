"""Topics on a real Kafka: what is there, what is missing, what differs, and creating it."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from vaart.errors import ConfigFault, DependencyAway

ANSWER_WITHIN_S = 15.0
PROBE_S = 0.05

State = Literal["missing", "same", "differs"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it shall be. `name` carries the deployment's prefix."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """How a wanted topic stands. `differences` are (what, is, shall be); a partition count is never changed."""

    wanted: Wanted
    state: State
    differences: tuple[tuple[str, str, str], ...] = ()
    is_alterable: bool = True


class Topics:
    """The topics of the Kafka at `address`. Each method raises DependencyAway when it does not answer."""

    def __init__(self, client: AdminClient, address: str) -> None:
        self._client = client
        self._address = address

    def compare(self, wanted: Iterable[Wanted]) -> list[Found]:
        """How each wanted topic stands, in the given order."""
        topics = list(wanted)
        there = self._metadata()
        configs = self._configs([topic.name for topic in topics if topic.name in there])
        return [_found(topic, there.get(topic.name), configs.get(topic.name, {})) for topic in topics]

    def create(self, wanted: Iterable[Wanted]) -> None:
        """Afterwards each topic exists; one that somebody else made meanwhile is fine."""
        topics = list(wanted)
        new = [
            NewTopic(
                each.name,
                num_partitions=each.partitions,
                replication_factor=each.replication_factor,
                config=dict(each.config),
            )
            for each in topics
        ]
        if new:
            self._settle(self._client.create_topics(new, operation_timeout=ANSWER_WITHIN_S), "create")
            self._wait_until(lambda: all(each.state != "missing" for each in self.compare(topics)))

    def alter(self, found: Iterable[Found]) -> None:
        """Afterwards each topic has the wanted settings; settings that are not ours to say are left alone."""
        topics = list(found)
        resources = [_alteration(each) for each in topics]
        if resources:
            self._settle(
                self._client.incremental_alter_configs(resources, request_timeout=ANSWER_WITHIN_S), "alter"
            )
            wanted = [each.wanted for each in topics]
            self._wait_until(lambda: all(each.state == "same" for each in self.compare(wanted)))

    def delete_before(self, name: str, stops: Mapping[int, int]) -> None:
        """Afterwards the records of the topic below these offsets, by partition, are gone for good."""
        places = [TopicPartition(name, partition, stop) for partition, stop in stops.items()]
        asked = self._client.delete_records(places, request_timeout=ANSWER_WITHIN_S)
        self._settle(asked, "delete records of")

    def _metadata(self) -> dict[str, tuple[int, int]]:
        try:
            topics = self._client.list_topics(timeout=ANSWER_WITHIN_S).topics
        except KafkaException as error:
            raise self._away(error) from None
        return {
            name: (len(each.partitions), min((len(p.replicas) for p in each.partitions.values()), default=0))
            for name, each in topics.items()
        }

    def _configs(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        asked = self._client.describe_configs(resources, request_timeout=ANSWER_WITHIN_S)
        try:
            return {
                resource.name: {name: str(entry.value) for name, entry in answer.result().items()}
                for resource, answer in asked.items()
            }
        except KafkaException as error:
            raise self._away(error) from None

    def _settle(self, asked: Mapping[Any, Any], verb: str) -> None:
        wait(asked.values(), timeout=ANSWER_WITHIN_S * 2)
        refused = []
        for about, answer in asked.items():
            name = getattr(about, "name", about)
            try:
                answer.result(timeout=0)
            except (KafkaException, TimeoutError) as error:
                refused += self._refusal(name, error)
        if refused:
            raise ConfigFault(f"Kafka at {self._address} did not {verb}:\n" + "\n".join(sorted(refused)))

    def _wait_until(self, is_told: Callable[[], bool]) -> None:
        """The controller has decided; the brokers that clients ask learn of it a moment later."""
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while not is_told():
            if time.monotonic() > deadline:
                raise self._away(TimeoutError())
            time.sleep(PROBE_S)

    def _refusal(self, name: str, error: KafkaException | TimeoutError) -> list[str]:
        if isinstance(error, TimeoutError):
            raise self._away(error)
        reason: KafkaError = error.args[0]
        if reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return []
        if reason.retriable() or reason.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
            raise self._away(error)
        return [f"  {name}: {reason.str()}"]

    def _away(self, error: Exception) -> DependencyAway:
        return DependencyAway(
            f"Kafka at {self._address} does not answer ({_named(error)}). Start it (`vaart up` starts a local one), "
            "or set VAART_KAFKA__BOOTSTRAP_SERVERS"
        )


def _named(error: Exception) -> str:
    return str(error.args[0].name()) if isinstance(error, KafkaException) else type(error).__name__


def _found(wanted: Wanted, there: tuple[int, int] | None, config: Mapping[str, str]) -> Found:
    if there is None:
        return Found(wanted, "missing")
    partitions, replicas = there
    fixed = [("partitions", str(partitions), str(wanted.partitions))]
    fixed += [("replication factor", str(replicas), str(wanted.replication_factor))]
    fixed = [each for each in fixed if each[1] != each[2]]
    settings = [(k, config.get(k, ""), v) for k, v in wanted.config.items() if config.get(k) != v]
    differences = (*fixed, *settings)
    return Found(wanted, "differs" if differences else "same", differences, is_alterable=not fixed)


def _alteration(found: Found) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in found.wanted.config.items()
    ]
    return ConfigResource(ResourceType.TOPIC, found.wanted.name, incremental_configs=entries)
