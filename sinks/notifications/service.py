"""The notification sink as a service: the composition root of `vaart sink notifications`."""

import threading
from functools import partial

import structlog
from confluent_kafka import Consumer, KafkaException, TopicCollection

from schemas.codec import Codec
from schemas.events.dead_letters import DeadLettered
from schemas.events.notifications import NotificationOutcomeReported
from schemas.registry import Registry
from schemas.topics import DEAD_LETTERS, NOTIFICATION_OUTCOMES, NOTIFICATIONS_REQUESTED
from sinks import contracts
from sinks.notifications import relay
from sinks.notifications.delivery import Delivery, routes
from sinks.notifications.intake import APP, GROUP, Intake
from sinks.notifications.sink import NotificationSink
from sinks.notifications.templates import Templates
from sinks.notifications.webhook import Webhook
from sinks.postgres import schema
from sinks.postgres.session import Session
from vaart import clock, kafka, metrics
from vaart.addresses import Addresses
from vaart.health import Health, HealthServer
from vaart.settings import Settings

ASK_S = 10.0

log = structlog.get_logger()


def serve(settings: Settings, addresses: Addresses, stopping: threading.Event) -> None:
    """Sends notifications until `stopping` is set, then finishes what is under way and returns.

    Raises DependencyAway when a server cannot be reached, ConfigFault when topics, schemas or tables are missing.
    """
    email, other = routes(settings.notifications)
    kafka.wait_until_reachable(settings, addresses)
    schema.require_current(addresses.postgres)
    topic = kafka.topic_name(settings, NOTIFICATIONS_REQUESTED.name)
    topic_id = _topic_id(settings, addresses, topic)
    registry = Registry.of(addresses.registry, settings.registry, settings.state_dir)
    codec = Codec(registry, settings.kafka.topic_prefix)
    letters = contracts.encoder(codec, DEAD_LETTERS, DeadLettered)
    reports = contracts.encoder(codec, NOTIFICATION_OUTCOMES, NotificationOutcomeReported)
    session = Session(addresses.postgres)
    consumer = Consumer(kafka.consumer_config(settings, addresses, GROUP))
    intake = Intake(
        consumer, session, (topic, topic_id), (codec.decoder(NOTIFICATIONS_REQUESTED), letters), clock.wall
    )
    outbox = relay.Relay(
        session,
        kafka.producer_config(settings, addresses),
        kafka.consumer_config(settings, addresses, relay.GROUP),
        settings.kafka.topic_prefix,
    )
    sink = NotificationSink(
        session,
        intake,
        outbox,
        Delivery(Templates(), email, other).deliver,
        reports,
        clock.wall,
        is_replay=settings.clock == "replay",
    )
    health = _health(session, intake, [route for route in (email, other) if isinstance(route, Webhook)])
    management = HealthServer(settings, health)
    log.info("sink_started", routes=[type(route).__name__ for route in (email, other)])
    try:
        # While Postgres is away nothing can be finished: then the sink stops at once.
        threading.Thread(target=_abandon_after, args=(stopping, session), daemon=True).start()
        sink.run(stopping, health)
    finally:
        management.close()
        consumer.close()
        outbox.close()
        session.close()
        registry.close()
    log.info("sink_stopped")


def _abandon_after(stopping: threading.Event, session: Session) -> None:
    stopping.wait()
    session.abandon(is_abandoned=True)


def _health(session: Session, intake: Intake, webhooks: list[Webhook]) -> Health:
    def is_paused() -> str | None:
        metrics.SINK_PAUSED.labels(sink=APP).set(session.is_paused)
        return "Postgres is away" if session.is_paused else None

    health = Health()
    health.check("postgres", is_paused, is_excuse=True)
    health.check("partitions", lambda: None if intake.is_placed else "partitions are not assigned yet")
    for webhook in webhooks[:1]:
        health.check("webhook", partial(_gone, webhook))
    return health


def _gone(webhook: Webhook) -> str | None:
    return "the receiver answered 410: it wants no more" if webhook.is_gone else None


def _topic_id(settings: Settings, addresses: Addresses, topic: str) -> str:
    client = kafka.admin(settings, addresses)
    asked = client.describe_topics(TopicCollection([topic]), request_timeout=ASK_S)
    try:
        return str(asked[topic].result(timeout=ASK_S).topic_id)
    except KafkaException as error:
        raise kafka.fault(error.args[0], topic, addresses.kafka) from None
