"""Deciding on dead letters: each is replayed or skipped once, whatever is repeated, interrupted or done at once.

A decision is a record on the topic of settled letters, and a replayed letter is its own decision. They are written
under one transactional id: whoever decides next fences those before, and only then reads what has been decided.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from schemas.events.dead_letters import DeadLettered, LetterReplayed, LetterSkipped
from schemas.topics import SETTLED_LETTERS
from streams.engine import muting
from streams.engine.log import LaneLost, Log, Outgoing
from streams.view import View
from vaart.cli.letterbox import LIFE_MS, Filed, LetterId, text_of
from vaart.clock import Clock
from vaart.errors import VaartError

WRITER = "vaart.dlq"
ATTEMPTS_MAX = 5
AT_ONCE = 50
"""How many letters, of up to 1 MB each, one transaction settles."""

OPEN = "open"

Judge = Callable[[Filed], str | None]
"""What stands in the way of settling a letter, in a few words; None where nothing does."""
IsHeir = Callable[[View, int], bool]
"""Whether a lane of the view took over from an older version, which wrote the letters that nobody can read for both."""
Decision = Callable[[Filed], Outgoing]
"""The record that settles a letter."""


class Overtaken(VaartError):
    """Somebody else settles letters at the same moment."""


class Decisions:
    """What has been decided on letters until now, and so what may still be."""

    def __init__(
        self, known: Mapping[LetterId, str], views: Iterable[View], is_heir: IsHeir, now_us: int
    ) -> None:
        self._known = known
        self._is_heir = is_heir
        self._views = {view.group: view for view in views}
        self._oldest_ms = now_us // 1000 - LIFE_MS

    def state(self, filed: Filed) -> str:
        """`open`, `replayed` or `skipped`."""
        return self._known.get(filed.id, OPEN)

    def against_skipping(self, filed: Filed) -> str | None:
        """See Judge."""
        if self.state(filed) != OPEN:
            return f"already {self.state(filed)}"
        return "too old: about to be deleted" if filed.at_ms < self._oldest_ms else None

    def against_replaying(self, filed: Filed) -> str | None:
        """See Judge."""
        return self.against_skipping(filed) or self._unfit(filed.letter)

    def _unfit(self, letter: DeadLettered) -> str | None:
        if letter.service not in self._views:
            elsewhere = self._elsewhere(letter)
            if elsewhere is not None:
                return elsewhere
        if letter.attempt >= ATTEMPTS_MAX:
            return f"tried {letter.attempt} times: mend what refuses it, and send it anew from its source"
        if letter.left_out_bytes:
            return "its bytes were too many to be kept: send it anew from its source"
        if not letter.source_topic and letter.alarm_at is None:
            return "an alarm that is still set: it goes off with the key's next event"
        return None

    def _elsewhere(self, letter: DeadLettered) -> str | None:
        """What to do with a letter that no view of this program wrote; None where one takes it all the same."""
        for view in self._views.values():
            if letter.service.startswith(f"vaart.{view.name}.v"):
                if letter.stage == muting.UNREADABLE and self._is_heir(view, letter.partition):
                    return None
                return (
                    f"of {letter.service}: while that version runs, replay it with its own program; "
                    f"version {view.version} judges the record itself"
                )
        return f"of {letter.service}, which takes nothing back: send it anew from its source"


class Settling:
    """Once it is made nobody else settles letters, and what was settled before can be read. Raises Overtaken."""

    def __init__(self, log: Log) -> None:
        try:
            self._writer = log.writer(WRITER)
        except LaneLost as error:
            raise _overtaken() from error

    def settle(self, letters: Iterable[Filed], decision: Decision) -> Iterator[int]:
        """After each step so many letters more are settled, all or none of them. Raises Overtaken."""
        left = iter(letters)
        while page := [decision(filed) for filed in islice(left, AT_ONCE)]:
            try:
                self._writer.begin()
                for record in page[:-1]:
                    self._writer.send(record)
                self._writer.commit(page[-1])
            except LaneLost as error:
                raise _overtaken() from error
            yield len(page)


def replaying(encode: Callable[[Any], bytes], clock: Clock) -> Decision:
    """Sends a letter back to the lane that gave up on it."""

    def decide(filed: Filed) -> Outgoing:
        partition, offset = filed.id
        found = LetterReplayed(
            letter_partition=partition,
            letter_offset=offset,
            service=filed.letter.service,
            letter=filed.raw,
            settled_at=clock(),
        )
        return _outgoing(filed, encode(found), filed.letter.partition)

    return decide


def skipping(encode: Callable[[Any], bytes], clock: Clock) -> Decision:
    """Notes that a letter has been dealt with."""

    def decide(filed: Filed) -> Outgoing:
        partition, offset = filed.id
        found = LetterSkipped(letter_partition=partition, letter_offset=offset, settled_at=clock())
        return _outgoing(filed, encode(found), partition)

    return decide


def _outgoing(filed: Filed, value: bytes, partition: int) -> Outgoing:
    return Outgoing(SETTLED_LETTERS.name, text_of(filed.id).encode(), value, partition)


def _overtaken() -> Overtaken:
    return Overtaken(
        "another `vaart dlq` settles letters at the same moment: run this again. What was settled stays so, and "
        "nothing is settled twice"
    )
