"""One shelf: what lies at one location and belongs to one owner, in buckets that are never negative.

Units move into, out of and between buckets. What the ledger cannot cover stands apart as shortage, and
whatever is put on the shelf next heals that first. A shelf remembers its newest movements, so that a fact
that comes twice is known, and so that a count that comes late is right about what moved since.
"""

from collections.abc import Iterator
from hashlib import blake2b
from operator import attrgetter
from struct import Struct

from streams.view import Record

REMEMBERED_MAX = 256
"""Movements that a shelf remembers. A repeat that comes after more than these is not known again."""

REMEMBERED_US = 7 * 24 * 60 * 60 * 1_000_000
"""How much older than the shelf's newest fact a movement may become before it is forgotten."""

OUTSIDE = "outside"
"""Where units come from when they arrive, and go when they leave. No bucket."""

SHORTAGE = "shortage"

BUCKETS = ("available", "held", "committed", "picked", "quality_control", "damaged", "safety", "blocked")
"""The physical buckets: together they are what is on hand."""

_NEXT_TO_GIVE = ("available", "safety", "held", "committed", "quality_control", "damaged", "picked")
"""Who gives when a bucket holds too little for a fact. Blocked units never do."""

_PLACES = (*BUCKETS, OUTSIDE)
_PLACE_NUMBERS = {place: number for number, place in enumerate(_PLACES)}
_ID_BYTES = 8
_movement = Struct("<qqBB")
_buckets = attrgetter(*BUCKETS)
_COUNTED = (*BUCKETS, SHORTAGE)
_all_counted = attrgetter(*_COUNTED)

Change = tuple[str, int]
"""A bucket, or the shortage, and by how many units it grew."""


class Shelf(Record):
    """The buckets of one shelf, the shortage apart, the newest count, and the movements that came last.

    `forgotten_until` is the time of the newest movement that is no longer remembered: a count about an
    earlier moment cannot be settled any more.
    """

    available: int = 0
    held: int = 0
    committed: int = 0
    picked: int = 0
    quality_control: int = 0
    damaged: int = 0
    safety: int = 0
    blocked: int = 0
    shortage: int = 0
    incoming: int = 0
    in_transit: int = 0
    counted_at: int | None = None
    count_id: str = ""
    updated_at: int = 0
    forgotten_until: int = 0
    recent_ids: bytes = b""
    recent_movements: bytes = b""

    @property
    def on_hand(self) -> int:
        """Every unit that lies on the shelf, whatever it is meant for."""
        return sum(_buckets(self))


def digest(event_id: str) -> bytes:
    """64 bits that stand for an event in a shelf's memory."""
    return blake2b(event_id.encode(), digest_size=_ID_BYTES).digest()


def move(shelf: Shelf, source: str, target: str, quantity: int) -> list[Change]:
    """`quantity` units (> 0) have gone from `source` to `target`, a bucket or OUTSIDE; says what changed.

    Where the source holds too little, the other buckets give and the rest is shortage. What arrives heals
    shortage first. So what is on hand less the shortage changes by exactly what came in or went out.
    """
    changes = [] if source == OUTSIDE else _take(shelf, source, quantity)
    return changes if target == OUTSIDE else changes + _put(shelf, target, quantity)


def _take(shelf: Shelf, source: str, quantity: int) -> list[Change]:
    changes = []
    for bucket in (source, *_NEXT_TO_GIVE):
        taken = min(quantity, getattr(shelf, bucket))
        if taken:
            setattr(shelf, bucket, getattr(shelf, bucket) - taken)
            changes.append((bucket, -taken))
            quantity -= taken
        if not quantity:
            return changes
    shelf.shortage += quantity
    return [*changes, (SHORTAGE, quantity)]


def _put(shelf: Shelf, target: str, quantity: int) -> list[Change]:
    changes = []
    healed = min(quantity, shelf.shortage)
    if healed:
        shelf.shortage -= healed
        changes.append((SHORTAGE, -healed))
    if quantity > healed:
        setattr(shelf, target, getattr(shelf, target) + quantity - healed)
        changes.append((target, quantity - healed))
    return changes


def recount(shelf: Shelf, counted: dict[str, int], as_of: int) -> list[Change]:
    """The shelf holds what was `counted` at `as_of`, and every remembered movement since; says what changed.

    A bucket that is not named was counted as empty. Shortage is settled; movements since may open it again.
    """
    before = _all_counted(shelf)
    for bucket, held in zip(BUCKETS, before, strict=False):
        if counted.get(bucket, 0) != held:
            setattr(shelf, bucket, counted.get(bucket, 0))
    shelf.shortage = 0
    if shelf.recent_movements:
        for source, target, quantity in _moved_since(shelf, as_of):
            move(shelf, source, target, quantity)
    changes = zip(_COUNTED, before, _all_counted(shelf), strict=True)
    return [(place, now - was) for place, was, now in changes if now != was]


def _moved_since(shelf: Shelf, as_of: int) -> Iterator[tuple[str, str, int]]:
    for at, quantity, source, target in sorted(_movement.iter_unpack(shelf.recent_movements)):
        if at > as_of and quantity:
            yield _PLACES[source], _PLACES[target], quantity


def remember(shelf: Shelf, fact: bytes, at: int, source: str, target: str, quantity: int) -> None:
    """The shelf knows the fact from now on. It forgets what is too old or too much, first come first gone."""
    shelf.recent_ids += fact
    shelf.recent_movements += _movement.pack(at, quantity, _PLACE_NUMBERS[source], _PLACE_NUMBERS[target])
    if at > shelf.updated_at:
        shelf.updated_at = at
    if _is_oldest_due(shelf):
        _forget(shelf)


def _is_oldest_due(shelf: Shelf) -> bool:
    too_many = len(shelf.recent_ids) > REMEMBERED_MAX * _ID_BYTES
    return too_many or _oldest(shelf, 0) < shelf.updated_at - REMEMBERED_US


def _oldest(shelf: Shelf, number: int) -> int:
    at: int = _movement.unpack_from(shelf.recent_movements, number * _movement.size)[0]
    return at


def _forget(shelf: Shelf) -> None:
    known = len(shelf.recent_ids) // _ID_BYTES
    horizon = shelf.updated_at - REMEMBERED_US
    first = max(0, known - REMEMBERED_MAX)
    while first < known and _oldest(shelf, first) < horizon:
        first += 1
    gone = _movement.iter_unpack(shelf.recent_movements[: first * _movement.size])
    shelf.forgotten_until = max(shelf.forgotten_until, *[at for at, _, _, _ in gone])
    shelf.recent_ids = shelf.recent_ids[first * _ID_BYTES :]
    shelf.recent_movements = shelf.recent_movements[first * _movement.size :]
