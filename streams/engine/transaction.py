"""A lane's transactions: outputs, changelog and position are committed together, or nothing is."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

from streams.engine import records
from streams.engine.claim import claimed
from streams.engine.log import Outgoing
from streams.engine.surroundings import Surroundings
from vaart import metrics
from vaart.failpoint import failpoint


class Transactions:
    """After it is made, older owners of this lane can commit nothing more. Raises what `claimed` raises."""

    def __init__(self, around: Surroundings, lane: int) -> None:
        self._around = around
        self._lane = lane
        self._seconds = metrics.TRANSACTION_SECONDS.labels(around.view.group)
        self._writer = claimed(around.log, around.view, lane)

    def commit(
        self, outgoing: Iterable[Outgoing], kept: Mapping[bytes, bytes | None], position: bytes
    ) -> int:
        """After this all of it is committed: what goes out, the changelog, the lane's position. Or none of it is.

        Returns the changelog's offset behind the position. Raises LaneLost; then the lane must be opened again.
        """
        ready = list(outgoing)  # what cannot be encoded now is known before anything is begun
        failpoint("before_begin")
        with self._seconds.time():
            self._writer.begin()
            for record in ready:
                self._writer.send(record)
            failpoint("after_outputs")
            changelog = self._around.view.changelog
            for key, value in kept.items():
                self._writer.send(Outgoing(changelog, key, value, self._lane))
            failpoint("before_commit")
            with _out_of(self._around.turn):
                end = self._writer.commit(Outgoing(changelog, records.POSITION, position, self._lane))
        failpoint("after_commit")
        return end


@contextmanager
def _out_of(turn: Lock) -> Iterator[None]:
    """Another lane computes while this one waits."""
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
