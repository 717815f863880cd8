"""One engine measured: at full speed, at half of that, and while it restores its state."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import cycle

from tests.bench.engines.contestants import Contestant, Process
from tests.bench.engines.load import Feed, Keyed, Site, Stamps, clear
from tests.bench.engines.report import Row
from tests.bench.engines.tail import Seen, Tail, records_in
from tests.bench.ground import OURS, Failed, Onlooker, Service, on, running, wait_for
from tests.bench.outputs import Stretch, warm

PACED_S, PACED_QUICK_S = 10.0, 4.0
SETTLE_S = 1.0
"""Records of the first second at half rate are not looked at."""
AFTER = 1_000
"""Records that are sent after the restore, to see that counting went on from where it was."""
PATIENCE_S = 400.0


def measure(at: Site, contestant: Contestant, records: Sequence[Keyed]) -> Row:
    """The engine's row. Raises Failed where it did not count every record exactly once."""
    process = contestant.process(at)
    feed = Feed(at)
    with on(OURS):
        feed.send(records)
    with closing(Tail(at.ground, process.output)) as tail:
        with _running(at, contestant, process, "first") as service:
            top = _at_full_speed(at, process, service, tail, feed)
            outputs = tail.totals.outputs
            cpu_us, kafka_us = top.cpu_us(service.meter), top.cpu_us(at.ground.kafka)
            late = _at_half_speed(at, contestant, tail, feed, records, top)
            memory_bytes = service.meter.memory_bytes_max
        restored = _restored(at, contestant, process, tail, feed, records)
        _require_exact(tail, feed)
    clear(at)
    return Row(
        contestant=contestant,
        records_per_second=top.records / top.seconds,
        cpu_us_per_record=cpu_us,
        kafka_us_per_record=kafka_us,
        outputs_per_record=outputs / len(records),
        peak_mb=memory_bytes / 1e6,
        recovery_per_second=restored,
        late=late,
    )


@contextmanager
def _running(at: Site, contestant: Contestant, process: Process, turn: str) -> Iterator[Service]:
    name = f"{contestant.name}-{turn}"
    with running(at.ground, name, process.command, process.environment, process.program) as service:
        yield service


def _at_full_speed(at: Site, process: Process, service: Service, tail: Tail, feed: Feed) -> Stretch:
    """From a topic that is full already; nobody watches the outputs meanwhile."""
    total = feed.sent.total()
    with closing(Onlooker(at.ground, process.group, at.input)) as group:
        wait_for(process.group, lambda: group.committed() >= total, [service], patience_s=PATIENCE_S)
    seen = tail.follow(lambda: tail.totals.counted >= total, PATIENCE_S)
    return warm([(round(each.taken_at * 1_000), each.after - each.before) for each in seen])


def _at_half_speed(
    at: Site, contestant: Contestant, tail: Tail, feed: Feed, records: Sequence[Keyed], top: Stretch
) -> list[tuple[float, float]]:
    """Per record, how long it took until a reader had its effect, and until the broker had: in ms."""
    already = dict(tail.totals.counts)
    seconds = PACED_QUICK_S if at.ground.is_quick else PACED_S
    stamps: list[Stamps] = []
    pacing = threading.Thread(
        target=lambda: stamps.append(feed.pace(cycle(records), top.records / top.seconds / 2, seconds))
    )
    pacing.start()
    seen = tail.follow(lambda: bool(stamps) and tail.totals.counted >= feed.sent.total(), PATIENCE_S)
    pacing.join()
    return list(latencies(seen, stamps[0], already, min(map(min, stamps[0].values())) + SETTLE_S))


def latencies(
    seen: Sequence[Seen], stamps: Stamps, already: dict[str, int], since: float
) -> Iterator[tuple[float, float]]:
    """An output stands for every record of its key that its count took in."""
    for each in seen:
        first = already.get(each.key, 0)
        for sent_at in stamps[each.key][each.before - first : each.after - first]:
            if sent_at >= since:
                yield (each.at - sent_at) * 1_000, (each.taken_at - sent_at) * 1_000


def _restored(
    at: Site, contestant: Contestant, process: Process, tail: Tail, feed: Feed, records: Sequence[Keyed]
) -> float:
    """Records a second of the restore, by the engine's own word; then some records more, which must be counted on."""
    kept = records_in(at.ground, process.changelog)
    shutil.rmtree(process.environment["VAART_STATE_DIR"])
    with _running(at, contestant, process, "again") as service:
        log = at.ground.folder / f"{contestant.name}-again.log"
        wait_for(
            f"{contestant.name}'s restore",
            lambda: contestant.restored(log.read_text(errors="replace")) is not None,
            [service],
            patience_s=PATIENCE_S,
        )
        seconds = contestant.restored(log.read_text(errors="replace"))
        feed.send(records[:AFTER])
        tail.follow(lambda: tail.totals.counted >= feed.sent.total(), PATIENCE_S)
    if not seconds:
        raise Failed(f"{contestant.name} says that its restore took no time")
    return kept / seconds


def _require_exact(tail: Tail, feed: Feed) -> None:
    wrong = sum(tail.totals.counts.get(key) != count for key, count in feed.sent.items())
    if wrong or tail.totals.went_down or len(tail.totals.counts) != len(feed.sent):
        raise Failed(
            f"{wrong} of {len(feed.sent)} keys were counted wrongly, {tail.totals.went_down} counts went down: "
            "the figures would be worth nothing"
        )
