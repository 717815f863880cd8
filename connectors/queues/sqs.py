"""Amazon SQS: messages are taken in, and deleted once our Kafka has acknowledged all that came of them.

So each is taken in at least once; one that comes again gives the same event ids. A message that cannot be read is a
dead letter, and kept as it came like all others (`ingest.raw.v1`), before it is deleted.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from connectors.queues.arrival import Arrived
from connectors.queues.form import SECRET_KEY, SqsForm
from connectors.queues.taking import Taken, Taking
from connectors.sources import Installed
from vaart.clock import Clock
from vaart.errors import DependencyAway
from vaart.failpoint import failpoint
from vaart.kafka import Publisher

MESSAGES_MAX = 10
"""Of one answer: SQS gives no more."""
LONG_POLL_S = 10
HIDDEN_S = 120
"""A message that was received comes to no one else for this long: longer than Kafka may take to acknowledge it."""
TIMEOUT_S = 30
MILLISECOND_US = 1_000

log = structlog.get_logger()


class _Sns(msgspec.Struct, rename="pascal"):
    message: str


class _EventBridge(msgspec.Struct):
    detail: msgspec.Raw


class SqsQueue:
    """One source's queue. `connect` makes a Publisher to our Kafka, or raises DependencyAway."""

    def __init__(
        self,
        found: Installed,
        taking: Taking,
        connect: Callable[[], Publisher],
        clock: Clock,
    ) -> None:
        assert found.form.queue is not None
        form = found.form.queue.sqs
        assert form is not None
        self.name = found.source.name
        self.fault: str | None = None
        self._form = form
        self._taking = taking
        self._connect = connect
        self._clock = clock
        self._sqs = _client(form, found.queue_secrets.get(SECRET_KEY, ""))
        self._publisher: Publisher | None = None

    async def open(self) -> None:
        """See Turner."""
        await self.close()
        self._publisher = await asyncio.to_thread(self._connect)

    async def turn(self) -> None:
        """See Turner."""
        messages = await asyncio.to_thread(self._received)
        taken = Taken()
        for message in messages:
            taken.add(await self._taking.of_queue(self._arrived(message), message["MessageId"]))
        if messages:
            await asyncio.to_thread(self._publish, taken)
            failpoint("sqs_before_delete")
            await asyncio.to_thread(self._delete, messages)
            self._taking.tell(taken)
        self.fault = None

    async def close(self) -> None:
        """See Turner."""
        if self._publisher is not None:
            await asyncio.to_thread(self._publisher.abandon)
        self._publisher = None

    def _received(self) -> Sequence[dict[str, Any]]:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._form.queue_url,
                MaxNumberOfMessages=MESSAGES_MAX,
                WaitTimeSeconds=LONG_POLL_S,
                VisibilityTimeout=HIDDEN_S,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            raise self._fault(error) from None
        return list(answer.get("Messages", ()))

    def _arrived(self, message: dict[str, Any]) -> Arrived:
        """The moment at which it was sent is its own, however often it comes."""
        sent_ms = message.get("Attributes", {}).get("SentTimestamp")
        told = message.get("MessageAttributes", {})
        return Arrived(
            place=self._form.name,
            value=_unwrapped(message["Body"].encode(errors="surrogatepass"), self._form),
            received_at=int(sent_ms) * MILLISECOND_US if sent_ms else self._clock(),
            key=message["MessageId"].encode(),
            headers=[
                (name, each["StringValue"].encode()) for name, each in told.items() if "StringValue" in each
            ],
        )

    def _publish(self, taken: Taken) -> None:
        """After this Kafka has all of it."""
        assert self._publisher is not None
        for record in taken.records:
            self._publisher.publish(record.topic, record.key, record.value)
        self._publisher.flush()

    def _delete(self, messages: Sequence[dict[str, Any]]) -> None:
        """What cannot be deleted comes again, and gives the same events."""
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        try:
            answer = self._sqs.delete_message_batch(QueueUrl=self._form.queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            raise self._fault(error) from None
        if failed := answer.get("Failed"):
            log.warning(
                "sqs_not_deleted", source=self.name, messages=len(failed), error=failed[0].get("Code")
            )

    def _fault(self, error: BotoCoreError | ClientError) -> DependencyAway:
        """By its code or its class: what Amazon or the library writes may quote what it was sent."""
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        return DependencyAway(f"the queue {self._form.name} does not answer ({code or type(error).__name__})")


def _client(form: SqsForm, secret: str) -> Any:
    """It asks by the source's own key, else as the machine is known; never through a proxy of the environment's."""
    return get_session().create_client(
        "sqs",
        region_name=form.region_name,
        aws_access_key_id=form.access_key_id or None,
        aws_secret_access_key=secret or None,
        endpoint_url=form.endpoint_url or None,
        config=Config(
            proxies={}, connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1}
        ),
    )


def _unwrapped(body: bytes, form: SqsForm) -> bytes:
    """What stands in the envelope that the form names; the whole where there is none, which is then not readable."""
    try:
        if form.unwrap == "sns":
            return msgspec.json.decode(body, type=_Sns).message.encode()
        if form.unwrap == "eventbridge":
            return bytes(msgspec.json.decode(body, type=_EventBridge).detail)
    except msgspec.DecodeError:
        return body
    return body
