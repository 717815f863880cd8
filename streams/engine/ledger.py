"""Where a lane stands, and its way on: outputs, letters, changelog and position of a step are one commit."""

from collections.abc import Callable
from itertools import islice

from streams.engine import changelog, muting, position, records
from streams.engine import draft as drafts
from streams.engine.draft import Draft
from streams.engine.heads import Heads
from streams.engine.leader import Leader
from streams.engine.letters import Letters, tell
from streams.engine.limit import Limit
from streams.engine.log import LaneLost
from streams.engine.muting import Place
from streams.engine.position import Position, Stopped
from streams.engine.sealing import seal
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from streams.engine.transaction import Transactions
from streams.engine.work import Kinds, Work
from vaart.failpoint import failpoint


class Ledger:
    """Of lane `number`. `open` comes before everything else; `store` holds what was committed, and nothing else."""

    def __init__(self, number: int, around: Surroundings, store: LaneStore) -> None:
        self.number = number
        self.around = around
        self.store = store
        self.heads = Heads(store)
        self.kinds = Kinds(around.view)
        self.letters = Letters(around, number)
        self.leader = Leader(around, number)
        self.position = Position(partitions=around.partitions)
        self._view = around.view
        self._limit = Limit()
        self._transactions: Transactions | None = None
        self._changelog_end = changelog.End("", 0, 0)
        self._due_from = records.DUE

    @property
    def stopped(self) -> Stopped | None:
        """Why and since when the lane folds nothing more; None while it does."""
        return self.position.stopped

    @property
    def place(self) -> Place | None:
        """How far the lane may fold while it follows an older version of its view; None when it follows none."""
        muted = self.position.muted
        return None if muted is None else muting.switched(muted) or self.leader.place

    def open(self, is_current: Callable[[], bool]) -> int:
        """After this older owners are fenced and the store equals the committed changelog. Returns the records read.

        Raises LaneLost where `is_current` says no, and ConfigFault where a topic is not what it was.
        """
        if not is_current():
            raise LaneLost("the lane was taken away before it was opened")
        transactions = Transactions(self.around, self.number)
        if not is_current():
            raise LaneLost("the lane was taken away while it was opened")
        self._transactions = transactions
        restored = changelog.restore(self.around, self.number, self.store, is_current)
        self.position, self._changelog_end = restored.position, restored.end
        return restored.records

    def draft(self) -> Draft:
        """The next commit, with nothing in it yet."""
        seq = (self._view.epoch << 40) + self.position.commits + 1
        work = Work(self._view, self.kinds, self.heads, self.store, self.around.encoders, seq, self.number)
        return Draft(work, self.position.muted, self.position.woken, tally=self._limit.tally())

    def commit(self, draft: Draft) -> None:
        """One transaction: outputs, dead letters, changelog, position; then the store, in one write.

        Raises LaneLost; then nothing of it is seen, and the lane must be opened again.
        """
        if self._transactions is None:
            raise LaneLost("the lane is not open")
        sealed = seal(draft.work, self.kinds, self.store)
        drafts.note_refused(draft, sealed, self.letters)
        draft.stopped = self.excess(draft)
        place = None if draft.muted is None else self.place
        first_due = min([key for key, value in sealed.index.items() if value is not None], default=None)
        now = self.around.clock()
        moved = drafts.moved(self.position, draft, first_due, now, self._view.epoch)
        encoded = position.encode(moved)
        kept = drafts.written(draft, sealed, place)
        end = self._transactions.commit(drafts.outgoing(self.around, draft, sealed, place), kept, encoded)
        level = changelog.End(self._changelog_end.topic_id, end, now, is_own=True)
        own = {records.POSITION: encoded, changelog.END_KEY: changelog.encode_end(level)}
        self.store.write({**dict.fromkeys(draft.stale), **sealed.index, **kept, **own})
        failpoint("after_store")
        self.heads.note(sealed.changed)
        self._due_from = draft.stale[-1] if draft.stale else self._due_from
        self._due_from = min(self._due_from, first_due or self._due_from)
        self.position, self._changelog_end = moved, level
        self._limit.add(draft.tally, self.around.clock())
        tell(drafts.said(draft, place))
        drafts.measure(draft, sealed, self._view.group, self.number)

    def excess(self, draft: Draft) -> Stopped | None:
        """That the lane is to stop, where the letters of `draft` are more than its view allows."""
        now = self.around.clock()
        word = self._limit.excess(draft.tally, now)
        return None if word is None else Stopped(now, word)

    def due(self, now: int, most: int) -> list[bytes]:
        """The earliest entries of the due index up to `now`."""
        return [entry for entry, _ in islice(self.store.scan(self._due_from, records.due_until(now)), most)]

    def require_sole(self) -> None:
        """Raises LaneLost where another has written to the lane's changelog: the lane must be opened again."""
        _, high = self.around.log.bounds(self._view.changelog, self.number)
        if high > self._changelog_end.offset + changelog.MARKER_OFFSETS:
            raise LaneLost("the lane's changelog went on without its owner")
