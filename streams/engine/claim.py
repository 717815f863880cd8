"""A lane is claimed: its older owners can commit nothing more, and what they left undecided is decided.

A transaction can be left undecided by brokers that start again (streams.engine.fate). A restore would not see what it
wrote, and the next commit would decide it, as committed: folded twice, or what was aborted seen all the same.
"""

import time
from collections.abc import Iterable, Iterator

import structlog

from schemas.topics import DEAD_LETTERS
from streams.engine import records
from streams.engine.log import Fate, Log, Outgoing, Writer
from streams.view import View
from vaart.errors import ConfigFault

DECIDED_WITHIN_S = 10.0
LOOK_S = 0.05
NOTE = records.POSITION + b"n"
"""The key of no record: a tombstone of it changes nothing, and the end of its transaction ends what lies before."""

told = structlog.get_logger()


def writer_name(view: View, lane: int) -> str:
    """The transactional id of whoever owns the lane, without the deployment's prefix."""
    return f"{view.group}-{lane}"


def claimed(log: Log, view: View, lane: int) -> Writer:
    """The lane's new writer. Older ones are fenced, and committed readers see all of the changelog or never will.

    Raises LaneLost where another was quicker, DependencyAway while the log does not answer, and ConfigFault where a
    transaction stays undecided.
    """
    writer = log.writer(writer_name(view, lane))
    undecided = _undecided(log, view, lane)
    if undecided and writer.left is not Fate.OPEN:
        told.warning("transaction_was_undecided", lane=lane, offsets=undecided, ends=writer.left)
    if writer.left is Fate.ABORTED:
        _abort(writer, _one_everywhere(log, view, lane))
    elif writer.left is Fate.COMMITTED and undecided:
        writer.begin()
        writer.commit(Outgoing(view.changelog, NOTE, None, lane))
    if undecided or writer.left is Fate.ABORTED:
        _require_decided(log, view, lane)
    return writer


def _abort(writer: Writer, outgoing: Iterable[Outgoing]) -> None:
    """Where the changelog is decided, an output may not be: the next commit there would let it be seen."""
    writer.begin()
    for record in outgoing:
        writer.send(record)
    writer.abort()


def _one_everywhere(log: Log, view: View, lane: int) -> Iterator[Outgoing]:
    """A record, which nobody sees, for every partition that the lane may have written to."""
    yield Outgoing(view.changelog, NOTE, None, lane)
    for topic in (*view.outputs, DEAD_LETTERS):
        for partition in range(log.partitions):
            yield Outgoing(topic.name, NOTE, None, partition)


def _undecided(log: Log, view: View, lane: int) -> int:
    """How many offsets of the changelog belong to a transaction without an end, or lie behind one."""
    _, high = log.bounds(view.changelog, lane)
    return log.end(view.changelog, lane) - high


def _require_decided(log: Log, view: View, lane: int) -> None:
    """A marker may stand a moment later than the answer that it will."""
    deadline = time.monotonic() + DECIDED_WITHIN_S
    while offsets := _undecided(log, view, lane):
        if time.monotonic() > deadline:
            raise ConfigFault(
                f"the last {offsets} offsets of {view.changelog}[{lane}] belong to a transaction that Kafka has left "
                "without an end, and does not know any more how it was to end. Find it, and where else it has none, "
                "with `kafka-transactions.sh find-hanging`, abort it in all of these places, and start the worker again"
            )
        time.sleep(LOOK_S)
