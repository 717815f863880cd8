"""What a channel is: one pure `receive`, how its sender proves who it is, and how it wants to be answered.

`receive(request, source)` says what a request means; the gateway acts on it and knows no channel by name. The same
request gives the same events, whenever and however often it comes: the facts in it have ids of their own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal

from schemas.meta import Event, Instant

WEBHOOK_BYTES_MAX = 1024 * 1024
BATCH_BYTES_MAX = 4 * 1024 * 1024
"""Of a request by which a client sends many events."""

STORES = "stores"
"""The option by which a source says which of our stores and warehouses its own ids are."""

EvidenceKind = Literal["vendor's vector", "captured request", "documented", "assumed"]
"""How a sender's form is known, best first. A test that signs for itself proves little."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `route` is what follows `/in/{channel}/{source}`, or the whole path of a fixed route.

    Header names are lower case. `public_url` is the address as the sender knows it, query included.
    """

    method: str
    route: str
    public_url: str
    headers: Mapping[str, Sequence[str]]
    query: Sequence[tuple[str, str]]
    body: bytes
    received_at: Instant
    peer: str = ""
    memo: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was read of the body once, for whoever reads it again."""

    def header(self, name: str) -> str | None:
        """The header's value; None where it is missing, or is there more than once and so could mean either."""
        found = self.headers.get(name, ())
        return found[0] if len(found) == 1 else None

    def parameter(self, name: str) -> str | None:
        """The query's value of that name; None where it is missing or is there more than once."""
        found = [value for key, value in self.query if key == name]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Source:
    """A configured installation of a channel. `secrets` are all that hold now: several while one is replaced.

    `keys` are the sender's public keys that were fetched, by their name: None where it has no such key. `reference`
    answers what one of the source's own ids (kind, id) stands for, None where that is not known.
    """

    name: str
    secrets: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    zone: str | None = None
    currency: str | None = None
    region: str | None = None
    keys: Mapping[str, bytes | None] = field(default_factory=dict)
    reference: Callable[[str, str], str | None] = lambda _kind, _id: None

    def place(self, foreign_id: str | int) -> str:
        """The store or warehouse of ours; the source's own id where its option STORES does not name it."""
        stores: Any = self.options.get(STORES, {})
        return str(stores.get(str(foreign_id), foreign_id))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """How this sender is told what became of its request; a wrong word here disables a subscription for good."""

    ok: Answer = Answer(200)
    malformed: Answer = Answer(400)
    refused: Answer = Answer(401)
    """An unknown source, too: a stranger cannot tell the two apart."""
    too_large: Answer = Answer(413)
    overloaded: Answer = Answer(503, headers={"Retry-After": "5"})


@dataclass(frozen=True, slots=True)
class Reject:
    """An item that no event could be made of. `detail` says what is wrong and where, and shows no value."""

    reason: str
    detail: str
    item: bytes


@dataclass(frozen=True, slots=True)
class Fetch:
    """Something that the request only points at, and that is to be asked for: `what` of the source, by `id`."""

    what: str
    id: str


@dataclass(slots=True)
class Verdict:
    """What a request means. `answer` is for a sender that must hear something of its own; else the channel's `ok`."""

    events: list[Event] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The sender did not prove who it is. `why` is for our counters, never for the sender."""

    why: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request of the channel's own clients that holds nothing readable; webhooks get success and a dead letter."""

    detail: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """Nothing happened; the sender only wants to be answered."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class NeedKey:
    """The request is signed by a key that has to be fetched from the sender first: it is tried again with it."""

    name: str


Outcome = Verdict | Refused | Malformed | Challenge | NeedKey
Receive = Callable[[Request, Source], Outcome]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure we are of what the sender signs and of what it sends, and where that is from."""

    signature: EvidenceKind
    payload: EvidenceKind
    origin: str


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of a source that only this channel has: a text, or a map. `says` is for people.

    `faults(value)` are those of a value, each in words that say what to write instead.
    """

    name: str
    says: str
    is_required: bool = False
    is_map: bool = False
    faults: Callable[[Any], Iterable[str]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a sender's public keys are: `url(name, source)`, None where no key of ours can have that name, and what of
    its answer the key is, as DER (SPKI): `read(body, name)`, None where it is not there.

    The name comes from a stranger: the host of `url` must not.
    """

    url: Callable[[str, Source], str | None]
    read: Callable[[bytes, str], bytes | None]


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in. `medium` is what its events say about where the customer was: web, store, carrier and so on.

    `proof` is how a sender shows who it is: it signs, it knows a secret address, it sends a credential, or it carries
    a public key that says only which source it is. `routes` are paths that its clients have built in; `key_of` finds
    in such a request which source it is for. `retries` is False where what is not taken never comes again.

    `split` cuts a file of any length into the bodies of requests, in its order; it raises NotReadable behind the last
    that is whole. None where the channel does not come in files.
    """

    name: str
    title: str
    medium: str
    receive: Receive
    evidence: Evidence
    proof: Literal["signature", "secret address", "credential", "public key"]
    answers: Answers = Answers()
    options: Sequence[Option] = ()
    methods: Sequence[str] = ("POST",)
    routes: Sequence[str] = ()
    key_of: Callable[[Request], str | None] | None = None
    body_bytes_max: int = WEBHOOK_BYTES_MAX
    retries: bool = True
    keys: KeyPlace | None = None
    split: Callable[[BinaryIO], Iterator[bytes]] | None = None

    @property
    def is_signed_by_key(self) -> bool:
        """The sender signs with a key of its own, which is fetched: a source needs no secret."""
        return self.keys is not None
