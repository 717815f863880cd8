"""What no record brings, a page a commit: alarms, held events, forgotten keys, and what was kept while muted.

Each function returns whether there may be more.
"""

from itertools import islice

from streams.engine import muting, records, replay
from streams.engine.ledger import Ledger
from streams.engine.sealing import forgotten_records
from streams.engine.work import FoldRefused

PAGE = 1_000
"""How many alarms, held events, snapshots or records one commit takes."""


def wake(ledger: Ledger, now: int) -> bool:
    """After this the alarms of silent keys up to `now` have gone off, some of them."""
    if ledger.stopped:
        return False
    due = ledger.due(now, PAGE)
    woken = max(ledger.position.woken, now if len(due) < PAGE else records.due_of(due[-1])[0] - 1)
    if not due:
        ledger.position.woken = woken
        return False
    draft = ledger.draft()
    draft.woken = woken
    draft.stale = due
    keys = [records.due_of(entry)[1] for entry in due]
    ledger.heads.prefetch(map(records.head_key, keys))
    for key in keys:
        count = len(draft.letters)
        try:
            draft.work.ring(key, now)
        except FoldRefused as refused:
            draft.letters.append(ledger.letters.of_alarm(key, refused))
        draft.tally.note([len(draft.letters) > count])
    ledger.commit(draft)
    return len(due) == PAGE


def release(ledger: Ledger, until: int) -> bool:
    """After this held events up to `until` are folded in the order of their times, some of them."""
    if ledger.stopped:
        return False
    page = list(islice(ledger.store.scan(records.HELD, records.held_until(until)), PAGE))
    if not page:
        return False
    draft = ledger.draft()
    draft.held = dict.fromkeys(key for key, _ in page)
    for _, encoded in page:
        held = replay.held_of(encoded)
        decode = ledger.around.decoders[held.topic]
        count = len(draft.letters)
        try:
            draft.work.fold(held.key, decode(held.value), held.value, decode)
        except FoldRefused as refused:
            draft.letters.append(ledger.letters.of_held(held.topic, held.key, held.value, refused))
        draft.tally.note([len(draft.letters) > count])
    ledger.commit(draft)
    return len(page) == PAGE


def tidy(ledger: Ledger) -> bool:
    """After this records of forgotten keys are deleted, some of them."""
    notes = list(islice(ledger.store.scan(records.FORGOTTEN, records.FORGOTTEN_END), 1))
    if not notes:
        return False
    note, incarnation = notes[0][0], records.forgotten_incarnation(notes[0][1])
    key = records.key_of_forgotten(note)
    page = list(islice(forgotten_records(key, incarnation, ledger.kinds, ledger.store), PAGE))
    draft = ledger.draft()
    draft.held = dict.fromkeys(page if len(page) == PAGE else [*page, note])
    ledger.commit(draft)
    return True


def publish_kept(ledger: Ledger) -> bool:
    """After this the last snapshots that a muted lane kept are published, some of them."""
    page = list(islice(ledger.store.scan(records.KEPT, records.KEPT_END), PAGE))
    if not page:
        return False
    draft = ledger.draft()
    draft.held = dict.fromkeys(key for key, _ in page)
    draft.kept = [muting.kept_of(key, value) for key, value in page]
    ledger.commit(draft)
    return True
