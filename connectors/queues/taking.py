"""What becomes of an arrival: its channel reads it, as one whose source needs no further proof, and records come of it.

Whoever may write to the topic or the queue is let in by its broker: that is the proof. The channel is handed the source
as one that is vouched for, so that it asks for no signature.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from connectors.gateway import raw, verdicts
from connectors.gateway.encoding import Encoding
from connectors.gateway.redrive import vouched
from connectors.gateway.spool import Kept
from connectors.plans.checking import Flag, checked
from connectors.plans.counting import count
from connectors.protocol import facts
from connectors.protocol.channel import Malformed, NeedKey, Outcome, Refused, Reject, Request, Verdict
from connectors.queues.arrival import Arrived, letter, request_of
from connectors.sources import Installed
from schemas.meta import Instant
from schemas.topics import DEAD_LETTERS
from vaart import metrics
from vaart.clock import Clock

SECOND_US = 1_000_000
TOO_LARGE, REFUSED, RAISED = "too_large", "refused", "raised"


@dataclass(slots=True)
class Taken:
    """The records of arrivals, how many events and dead letters are among them, and what is not as planned."""

    records: list[Kept] = field(default_factory=list)
    events: int = 0
    letters: int = 0
    flags: list[Flag] = field(default_factory=list)

    def add(self, other: "Taken") -> None:
        """Afterwards the other's are among them."""
        self.records += other.records
        self.events += other.events
        self.letters += other.letters
        self.flags += other.flags


class Taking:
    """Reads the arrivals of one source. Raises RegistryAway or SchemaUnknown where a schema is not at hand."""

    def __init__(self, found: Installed, encoding: Encoding, clock: Clock) -> None:
        self._channel = found.channel
        self._source = vouched(found.source)
        self._plan = found.plan
        self._encoding = encoding
        self._clock = clock

    async def of_topic(self, arrivals: Iterable[Arrived]) -> Taken:
        """What they mean. The arrivals themselves are kept by their topic."""
        taken = Taken()
        for arrived in arrivals:
            taken.add((await self._taken(arrived, request_of(arrived)))[0])
        return taken

    async def of_queue(self, arrived: Arrived, named: str) -> Taken:
        """What it means, and the request itself, by that id: the queue forgets it."""
        request = request_of(arrived)
        taken, words = await self._taken(arrived, request)
        kept = raw.kept_request(request, named, self._channel, self._source, words)
        taken.records += [each for each in await self._encoding.records([kept]) if isinstance(each, Kept)]
        return taken

    async def lost(self, arrived: Arrived, why: str) -> Taken:
        """A dead letter that says that there was something here."""
        return await self._lettered([Reject("lost", why, b"")], arrived)

    def tell(self, taken: Taken) -> None:
        """After this the counters know what is committed."""
        name, source = self._channel.name, self._source.name
        metrics.SOURCE_HEARD.labels(name, source).set_to_current_time()
        metrics.EVENTS_RECEIVED.labels(name, "published").inc(taken.events)
        count(taken.flags, name, source)
        if taken.letters:
            metrics.EVENTS_RECEIVED.labels(name, "rejected").inc(taken.letters)

    def heard(self, at: Instant) -> None:
        """After this the source counts as heard then: before this process began."""
        metrics.SOURCE_HEARD.labels(self._channel.name, self._source.name).set(at / SECOND_US)

    async def _taken(self, arrived: Arrived, request: Request) -> tuple[Taken, str]:
        verdict = self._read(request)
        # It is wanted from now on, however old the record is: who asks gives up what was wanted too long ago.
        wanted = replace(request, received_at=self._clock())
        fetches = [raw.fetch_of(each, wanted, self._channel, self._source) for each in verdict.fetches]
        planned, flags = checked(self._plan, verdict.events)
        events = [*planned, *fetches]
        records, misfits = await self._encoding.fitted(events)
        verdict.rejects += misfits
        taken = Taken(records, events=len(planned), flags=flags)
        taken.add(await self._lettered(verdict.rejects, arrived))
        return taken, verdicts.words(verdict, len(verdict.rejects), flags)

    def _read(self, request: Request) -> Verdict:
        """What cannot be read is a reject, so that what follows goes on."""
        most = self._channel.body_bytes_max
        if len(request.body) > most:
            return _rejected(TOO_LARGE, f"a record may have {most} bytes at most", request)
        try:
            outcome = self._channel.receive(request, self._source)
        except Exception as error:  # a fault of the channel's own must not stop the line for ever
            return _rejected(RAISED, f"the channel failed on it ({type(error).__name__})", request)
        return _verdict(outcome, request)

    async def _lettered(self, rejects: Iterable[Reject], arrived: Arrived) -> Taken:
        name, source = self._channel.name, self._source.name
        letters = [letter(each, arrived, name, source) for each in rejects]
        key = f"{source}:{arrived.place}"
        records = [await self._encoding.entry(DEAD_LETTERS, key, each) for each in letters]
        return Taken(records, letters=len(letters))


def _verdict(outcome: Outcome, request: Request) -> Verdict:
    match outcome:
        case Verdict():
            return outcome
        case Refused():
            return _rejected(REFUSED, outcome.why, request)
        case Malformed():
            return _rejected(facts.UNREADABLE, outcome.detail, request)
        case NeedKey():
            return _rejected(REFUSED, "it is signed by a key that is not known", request)
    return Verdict()


def _rejected(reason: str, detail: str, request: Request) -> Verdict:
    return Verdict(rejects=[Reject(reason, detail, request.body)])
