"""The desk at which dead letters are looked at and settled: letters, decisions and the log of one deployment."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Literal

from schemas.codec import Codec
from schemas.events.dead_letters import LetterReplayed, LetterSkipped
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine.log import Log
from streams.engine.takeover import standing
from streams.view import View
from vaart.admin import Topics
from vaart.cli import settling
from vaart.cli.letterbox import Filed, Letterbox, LetterId, text_of
from vaart.cli.settling import Decision, Decisions, Judge, Settling
from vaart.clock import Clock

Verb = Literal["replay", "skip"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant: those of `ids`, or all; of them those that fit the rest. An empty word fits all."""

    ids: tuple[LetterId, ...] = ()
    reason: str = ""
    topic: str = ""
    service: str = ""
    since_ms: int = 0

    def fits(self, filed: Filed) -> bool:
        """Whether the letter is meant."""
        letter = filed.letter
        return (
            filed.at_ms >= self.since_ms
            and self.reason in ("", letter.reason)
            and self.topic in ("", letter.source_topic)
            and letter.service.startswith(self.service)
        )


@dataclass(slots=True)
class Plan:
    """Which letters would be settled, and how many would not, by what stands in the way."""

    ids: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


class Desk:
    """Looks at letters and settles them."""

    def __init__(
        self,
        letterbox: Letterbox,
        log: Log,
        codec: Codec,
        topics: Topics,
        prefix: str,
        views: tuple[View, ...],
        clock: Clock,
    ) -> None:
        self.letterbox = letterbox
        self._log = log
        self._codec = codec
        self._topics = topics
        self._prefix = prefix
        self._views = views
        self._clock = clock
        self._began_ms = clock() // 1000

    def matching(self, wanted: Wanted) -> Iterator[Filed]:
        """The letters that are meant and were there when the desk was opened."""
        box = self.letterbox
        found = map(box.letter, wanted.ids) if wanted.ids else box.letters(wanted.since_ms)
        return (filed for filed in found if filed.at_ms <= self._began_ms and wanted.fits(filed))

    def decisions(self) -> Decisions:
        """What has been decided until now."""
        return Decisions(self.letterbox.decisions(), self._views, cache(self._is_heir), self._clock())

    def plan(self, wanted: Wanted, verb: Verb, limit: int | None) -> Plan:
        """What `settle` would do now. It changes nothing, and disturbs nobody who settles."""
        plan = Plan()
        for filed in self._passed(wanted, _judge(self.decisions(), verb), limit, plan.refused):
            plan.ids.append(text_of(filed.id))
        return plan

    def settle(self, wanted: Wanted, verb: Verb, limit: int | None) -> int:
        """After this the letters that are meant are settled. Returns how many were settled here. Raises Overtaken."""
        alone = Settling(self._log)
        found = self._passed(wanted, _judge(self.decisions(), verb), limit, Counter())
        return sum(alone.settle(found, self._decision(verb)))

    def purge(self, stops: Mapping[int, int]) -> None:
        """After this the letters below these offsets, by partition, are gone for good."""
        self._topics.delete_before(self._prefix + DEAD_LETTERS.name, stops)

    def _passed(
        self, wanted: Wanted, judge: Judge, limit: int | None, refused: Counter[str]
    ) -> Iterator[Filed]:
        def passed() -> Iterator[Filed]:
            for filed in self.matching(wanted):
                hindrance = judge(filed)
                if hindrance is None:
                    yield filed
                else:
                    refused[hindrance] += 1

        return islice(passed(), limit)

    def _decision(self, verb: Verb) -> Decision:
        if verb == "replay":
            return settling.replaying(self._codec.encoder(SETTLED_LETTERS, LetterReplayed), self._clock)
        return settling.skipping(self._codec.encoder(SETTLED_LETTERS, LetterSkipped), self._clock)

    def _is_heir(self, view: View, lane: int) -> bool:
        position = standing(self._log, view, lane).position
        return position is not None and position.is_heir


@contextmanager
def desk() -> Iterator[Desk]:
    """The desk of the deployment that the settings name."""
    from streams.views import VIEWS
    from vaart import clock, kafka
    from vaart.cli.schemas import registry_of
    from vaart.cli.views import log_for, reached
    from vaart.reading import Reader

    loaded, found = reached()
    prefix, partitions = loaded.kafka.topic_prefix, loaded.kafka.partitions
    with registry_of(loaded, found) as registry, Reader(loaded, found, "vaart.dlq") as reader:
        codec = Codec(registry, prefix)
        box = Letterbox(reader, codec, partitions)
        topics = Topics(kafka.admin(loaded, found), found.kafka)
        yield Desk(box, log_for(loaded, found), codec, topics, prefix, tuple(VIEWS), clock.wall)


def _judge(decisions: Decisions, verb: Verb) -> Judge:
    return decisions.against_replaying if verb == "replay" else decisions.against_skipping
