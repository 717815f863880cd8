"""The notification sink as a process on real servers: each id once, whatever kills it, and every outcome told once."""

import json

import psycopg
import pytest

from schemas.events.notifications import NotificationOutcomeReported
from tests.sinks.notifications.conftest import (
    SECRET,
    Mailbox,
    Receiver,
    Serve,
    Served,
    Sink,
    Start,
    World,
    request,
    until,
)

pytestmark = pytest.mark.servers


def hook(receiver: Receiver) -> dict[str, str]:
    return {
        "VAART_NOTIFICATIONS__WEBHOOK_URL": receiver.url,
        "VAART_NOTIFICATIONS__WEBHOOK_SECRET": SECRET,
    }


def finish(world: World, sink: Sink | Served, count: int) -> list[NotificationOutcomeReported]:
    until(lambda: world.is_settled(count))
    sink.stops()
    found = world.outcomes()
    assert len(found) == len({each.notification_id for each in found}) == count
    return found


def test_each_id_is_sent_once_and_told_once(world: World, served: Serve, mailbox: Mailbox) -> None:
    world.ask(request(1), request(2), request(1), request(3, address=None))
    sink = served(
        VAART_NOTIFICATIONS__SMTP_HOST="127.0.0.1",
        VAART_NOTIFICATIONS__SMTP_PORT=str(mailbox.port),
        VAART_NOTIFICATIONS__SMTP_SECURITY="none",
        VAART_NOTIFICATIONS__SENDER="shop@example.com",
    )
    until(lambda: world.is_settled(3))
    world.ask(request(2), request(4))
    told = {each.notification_id: (each.status, each.reason) for each in finish(world, sink, 4)}
    assert sorted(mail["To"] for mail in mailbox.mails) == [
        f"customer-{each}@example.org" for each in (1, 2, 4)
    ]
    assert told[request(1).notification_id] == ("sent", None)
    assert told[request(3).notification_id] == ("failed", "no_address")


def test_once_decided_nothing_personal_is_left_in_the_ledger(world: World, served: Serve) -> None:
    world.ask(request(1))
    finish(world, served(), 1)
    with psycopg.connect(world.addresses.postgres) as connection:
        rows = connection.execute("SELECT d::text FROM ops.notification_deliveries d").fetchall()
    assert "example" not in str(rows)


@pytest.mark.parametrize("point", ["claimed", "relay_tagged", "relay_committed"])
def test_killed_when_the_far_side_was_not_yet_asked_or_it_was_noted(
    world: World, start: Start, served: Serve, receiver: Receiver, point: str
) -> None:
    world.ask(*(request(each) for each in range(20)))
    start(VAART_FAILPOINT=point, **hook(receiver)).dies()
    finish(world, served(**hook(receiver)), 20)
    assert len(receiver.posts) == 20


def test_killed_before_it_was_noted_the_far_side_can_tell(
    world: World, start: Start, served: Serve, receiver: Receiver
) -> None:
    world.ask(*(request(each) for each in range(20)))
    start(VAART_FAILPOINT="delivered", **hook(receiver)).dies()
    told = len(receiver.posts)
    finish(world, served(**hook(receiver)), 20)
    assert told > 0
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == 20


def test_two_sinks_share_the_work(world: World, served: Serve, receiver: Receiver) -> None:
    sinks = [served(**hook(receiver)), served(**hook(receiver))]
    world.ask(*(request(each) for each in range(200)))
    until(lambda: world.is_settled(200))
    sinks[0].stops()
    finish(world, sinks[1], 200)
    assert len(receiver.posts) == 200


def test_an_unreadable_record_becomes_one_dead_letter_and_the_rest_goes_on(
    world: World, served: Serve
) -> None:
    world.put(("a", b"{}"), ("b", b"\0\x7f\xff\xff\xffabc"))
    world.ask(request(1), request(2, journey="\0"))
    finish(world, served(), 1)
    found = {(each.reason, each.value) for each in world.letters()}
    assert len(found) == len(world.letters()) == 3
    assert {reason for reason, _ in found} == {"json", "unknown_schema_id", "invalid_value"}
    assert ("json", b"{}") in found


def test_what_is_too_late_is_not_sent(world: World, served: Serve, receiver: Receiver) -> None:
    world.ask(request(1, expires_at=1))
    (told,) = finish(world, served(**hook(receiver)), 1)
    assert (told.reason, receiver.posts) == ("expired", [])


def test_in_a_replay_the_time_is_the_requests(world: World, served: Serve) -> None:
    world.ask(request(1, expires_at=1))
    (told,) = finish(world, served(VAART_CLOCK="replay"), 1)
    assert (told.status, told.meta.occurred_at) == ("sent", request(1).meta.occurred_at)


def test_an_attempt_that_failed_waits_for_its_next(world: World, served: Serve, receiver: Receiver) -> None:
    receiver.answers = [503]
    world.ask(request(1))
    sink = served(**hook(receiver))
    until(lambda: world.statuses().get(request(1).notification_id) == ("claimed", "webhook_503", 1))
    with psycopg.connect(world.addresses.postgres) as connection:
        connection.execute("UPDATE ops.notification_deliveries SET next_attempt_at = now()")
    finish(world, sink, 1)
    assert [headers["webhook-id"] for headers, _ in receiver.posts] == [request(1).notification_id] * 2


def test_after_the_last_attempt_it_gives_up(world: World, served: Serve, receiver: Receiver) -> None:
    receiver.answers = [503] * 20
    world.ask(request(1))
    sink = served(**hook(receiver))

    def is_over() -> bool:
        with psycopg.connect(world.addresses.postgres) as connection:
            connection.execute(
                "UPDATE ops.notification_deliveries SET next_attempt_at = now() WHERE status = 'claimed'"
            )
        return world.is_settled(1)

    until(is_over)
    (told,) = finish(world, sink, 1)
    assert (told.reason, len(receiver.posts)) == ("gave_up", 10)


def test_nothing_of_a_person_is_logged(world: World, start: Start) -> None:
    world.ask(request(1, variables={"name": "Chantal"}))
    sink = start()
    until(lambda: world.is_settled(1))
    told = sink.stops()
    assert "Chantal" not in told
    assert "example.org" not in told
    assert request(1).notification_id in {
        json.loads(line).get("notification_id") for line in told.splitlines()
    }


def test_a_lost_connection_loses_and_doubles_nothing(world: World, served: Serve, receiver: Receiver) -> None:
    world.ask(*(request(each) for each in range(20)))
    sink = served(**hook(receiver))
    until(lambda: world.is_settled(20))
    with psycopg.connect(world.addresses.postgres) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    world.ask(*(request(each) for each in range(40)))
    finish(world, sink, 40)
    assert len(receiver.posts) == 40
