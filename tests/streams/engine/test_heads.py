import random

import pytest

from streams.engine import heads
from streams.engine.heads import Heads
from streams.engine.stores import MemoryStore


def test_the_cache_says_what_the_store_says_whatever_is_evicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "YOUNG_BYTES_MAX", 3_000)
    chance = random.Random(1)
    store = MemoryStore().lane(0)
    cached = Heads(store)
    keys = [b"h%02d" % number for number in range(60)]
    for turn in range(300):
        asked = chance.sample(keys, 10)
        cached.prefetch(asked)
        assert [cached.get(key) for key in asked] == store.get_many(asked)
        changed = {key: chance.choice([None, b"%d" % turn]) for key in chance.sample(keys, 5)}
        store.write(changed)
        cached.note(changed)


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "YOUNG_BYTES_MAX", 1_000_000)
    cached = Heads(MemoryStore().lane(0))
    for number in range(100_000):
        cached.get(b"h%d" % number)
    assert len(cached._young) + len(cached._old) < 2 * 1_000_000 // heads.ENTRY_BYTES
