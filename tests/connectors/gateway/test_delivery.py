"""What was kept is in Kafka or on the disk, in its order, while a real broker dies, stands still and comes back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.gateway.delivery import PRODUCER, Delivery, SpoolFull
from connectors.gateway.spool import Kept, Spool
from tests.streams.engine.broker import Broker, own_broker
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.errors import StorageFault
from vaart.settings import Settings, load

pytestmark = pytest.mark.servers

TOPIC = "numbers.v1"
KEYS = 5
ROOMY = 64 << 20


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as made:
        yield made


class Line:
    """Sends numbers by a Delivery of its own, and knows which ones were kept."""

    def __init__(self, broker: Broker, prefix: str, folder: Path, bytes_max: int = ROOMY) -> None:
        self.settings: Settings = load({"VAART_KAFKA__TOPIC_PREFIX": prefix})
        self.addresses = Addresses(broker.address, "", "", "")
        self.kept: list[int] = []
        self.failures: list[BaseException] = []
        self._folder = folder
        self._bytes_max = bytes_max

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Delivery]:
        found = Delivery(
            lambda: kafka.Publisher(self.settings, self.addresses, {**PRODUCER, "log_level": 0}),
            self._folder,
            self._bytes_max,
            self.failures.append,
        )
        try:
            yield found
        finally:
            await found.close()

    async def send(self, delivery: Delivery, numbers: range, apart_s: float = 0.0) -> None:
        async def one(number: int) -> None:
            await delivery.keep([Kept(TOPIC, str(number % KEYS), str(number).encode())])
            self.kept.append(number)

        tasks = []
        for number in numbers:
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(apart_s)
        await asyncio.gather(*tasks)

    def create(self) -> None:
        name = kafka.topic_name(self.settings, TOPIC)
        Topics(kafka.admin(self.settings, self.addresses), self.addresses.kafka).create(
            [Wanted(name, 1, 1, {})]
        )

    def read(self) -> list[int]:
        name = kafka.topic_name(self.settings, TOPIC)
        consumer = Consumer(kafka.consumer_config(self.settings, self.addresses, "reader"))
        consumer.assign([TopicPartition(name, 0, OFFSET_BEGINNING)])
        found: list[int] = []
        while taken := consumer.consume(1_000, timeout=5):
            found += [int(message.value() or b"") for message in taken if message.error() is None]
        consumer.close()
        return found

    def check(self) -> None:
        """Everything that was kept is there, and what is there for the first time is in the order of its key."""
        found = self.read()
        assert set(self.kept) <= set(found)
        first = list(dict.fromkeys(found))
        for key in range(KEYS):
            of_key = [number for number in first if number % KEYS == key]
            assert of_key == sorted(of_key)


def is_direct(delivery: Delivery) -> bool:
    return delivery.is_direct


def sheds(delivery: Delivery) -> bool:
    return delivery.sheds


async def drained(delivery: Delivery) -> None:
    async with asyncio.timeout(90):
        while not delivery.is_direct:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
def line(broker: Broker, prefix: str, tmp_path: Path) -> Line:
    made = Line(broker, prefix, tmp_path / "spool" / "one")
    made.create()
    return made


async def test_what_goes_well_never_touches_the_disk(line: Line) -> None:
    async with line.open() as delivery:
        await line.send(delivery, range(500))
        assert delivery.is_direct
    assert line.read() == list(range(500))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: str(number.name))
async def test_a_broker_that_goes_and_comes_back_under_load(
    line: Line, broker: Broker, number: signal.Signals
) -> None:
    async with line.open() as delivery:
        sending = asyncio.create_task(line.send(delivery, range(3_000), 0.003))
        await asyncio.sleep(2)
        await asyncio.to_thread(broker.signal, number)
        await asyncio.sleep(4)
        assert not is_direct(delivery)
        await asyncio.to_thread(broker.start) if number is signal.SIGKILL else broker.signal(signal.SIGCONT)
        await sending
        await drained(delivery)
        await line.send(delivery, range(3_000, 3_010))
        assert is_direct(delivery)
    assert sorted(line.kept) == list(range(3_010))
    line.check()


async def test_what_one_process_spooled_the_next_sends_first(line: Line, broker: Broker) -> None:
    await asyncio.to_thread(broker.signal, signal.SIGKILL)
    async with line.open() as delivery:
        await line.send(delivery, range(20))
    await asyncio.to_thread(broker.start)
    async with line.open() as delivery:
        await line.send(delivery, range(20, 40))
        await drained(delivery)
    assert list(dict.fromkeys(line.read())) == list(range(40))


async def test_a_full_spool_takes_nothing_and_says_so(broker: Broker, prefix: str, tmp_path: Path) -> None:
    line = Line(broker, prefix, tmp_path / "spool" / "one", bytes_max=1_000)
    await asyncio.to_thread(broker.signal, signal.SIGKILL)
    try:
        async with line.open() as delivery:
            await line.send(delivery, range(5))
            assert not sheds(delivery)
            for number in range(5, 60):
                with suppress(SpoolFull):
                    await line.send(delivery, range(number, number + 1))
            with pytest.raises(SpoolFull):
                await line.send(delivery, range(60, 61))
            assert sheds(delivery)
            assert 5 < len(line.kept) < 60
    finally:
        await asyncio.to_thread(broker.start)


async def test_a_disk_that_cannot_be_written_ends_the_process(
    line: Line, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFault("the spool cannot be used: No space left on device")

    monkeypatch.setattr(Spool, "append", full)
    await asyncio.to_thread(broker.signal, signal.SIGKILL)
    try:
        async with line.open() as delivery:
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await line.send(delivery, range(1))
            assert line.kept == []
            assert [type(each) for each in line.failures] == [StorageFault]
    finally:
        await asyncio.to_thread(broker.start)
