"""A simulated process and its disk."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from streams.engine.lane import Lane
from streams.engine.stores import MemoryStore

FATES = ("kept", "kept", "older", "lost")
"""What becomes of a folder whose process dies."""


@dataclass
class Machine:
    """A process with its open lanes and its folder; `kept` is what the folder held at some moment."""

    name: str
    store: MemoryStore = field(default_factory=MemoryStore)
    kept: dict[int, dict[bytes, bytes | None]] = field(default_factory=dict)
    lanes: dict[int, Lane] = field(default_factory=dict)
    is_alive: bool = True
    turn: Lock = field(default_factory=Lock)

    def keep(self, lanes: Iterable[int]) -> None:
        """After this the folder may be found as it is now, all lanes as they are at this moment."""
        self.kept = {number: dict(self.store.lane(number).scan(b"", b"\xff")) for number in lanes}

    def die(self, fate: str) -> None:
        """After this the process is gone; its folder is as it was, as it was when it was kept, or lost."""
        self.is_alive = False
        self.lanes.clear()
        if fate != "kept":
            self.store = MemoryStore()
        if fate == "older":
            for number, content in self.kept.items():
                self.store.lane(number).write(content)
        if fate == "lost":
            self.kept = {}
