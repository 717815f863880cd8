"""The engine, broken on purpose in one place: `python -m tests.streams.engine.mutants NAME SEEDS` runs the storm on it.

It ends with 1 where the storm noticed, 0 where it did not. `infect` breaks this process's engine, for workers on a real
Kafka. A snippet that is not there exactly once is refused, so that a mutant cannot become harmless unseen.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

VARIABLE = "MUTANT"
BETWEEN = "BETWEEN_S"
"""How long the mutant that restores first waits before it fences, so that a real owner can write meanwhile."""


@dataclass(frozen=True)
class Mutant:
    """Code of `module` that stands there as `good`, and what takes its place. `storms`: seeds that must notice it."""

    module: str
    good: str
    bad: str
    storms: bool = True


COMMIT = "end = self._transactions.commit(drafts.outgoing(self.around, draft, sealed, place), kept, encoded)"
POSITION = "end = self._writer.commit(Outgoing(changelog, records.POSITION, position, self._lane))"
RESTORE = "restored = changelog.restore(self.around, self.number, self.store, is_current)"

MUTANTS = {
    "the position outside the transaction": Mutant(
        "streams.engine.transaction",
        POSITION,
        'self._writer.commit(Outgoing(changelog, b"z", b"", self._lane)); failpoint("between"); '
        "self._writer.begin(); " + POSITION,
    ),
    "the store written before the commit": Mutant(
        "streams.engine.ledger", COMMIT, "self.store.write({**sealed.index, **kept}); " + COMMIT
    ),
    "alarms outside the transaction": Mutant(
        "streams.engine.pages",
        "    draft.stale = due\n",
        "    draft.stale = due\n    ledger.store.write(dict.fromkeys(due))\n",
    ),
    "a commit number that restarts": Mutant(
        "streams.engine.ledger",
        "self.position, self._changelog_end = restored.position, restored.end",
        "restored.position.commits = 0; self.position, self._changelog_end = restored.position, restored.end",
    ),
    "a transactional id without the lane": Mutant(
        "streams.engine.claim", 'return f"{view.group}-{lane}"', "return view.group"
    ),
    "a restore before the older owner is fenced": Mutant(
        "streams.engine.ledger",
        "        transactions = Transactions(self.around, self.number)\n"
        "        if not is_current():\n"
        '            raise LaneLost("the lane was taken away while it was opened")\n'
        "        self._transactions = transactions\n"
        f"        {RESTORE}\n",
        f'        {RESTORE}\n        failpoint("between")\n'
        f'        __import__("time").sleep(float(__import__("os").environ.get("{BETWEEN}", 0)))\n'
        "        self._transactions = Transactions(self.around, self.number)\n",
    ),
    "records below the next offset folded again": Mutant(
        "streams.engine.lane",
        "return [record for record in arrived if record.offset >= start]",
        "return arrived",
    ),
    "seeking to the group's committed offsets": Mutant(
        "streams.engine.transport.consumer",
        "        lanes: Any = self.app.lanes  # type: ignore[attr-defined]\n",
        "        return await super().seek_to_committed()\n"
        "        lanes: Any = self.app.lanes  # type: ignore[attr-defined]\n",
        storms=False,
    ),
    "reading what is not committed": Mutant(
        "streams.engine.transport.thread",
        'consumer._isolation_level = "read_committed"',
        'consumer._isolation_level = "read_uncommitted"',
        storms=False,
    ),
    "round robin assignment": Mutant(
        "streams.engine.transport.thread",
        "        self._assignor = self.app.assignor\n"
        "        consumer._partition_assignment_strategy = [self._assignor]\n",
        "",
        storms=False,
    ),
}


class _Infecting(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._mutant.module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)
        assert spec is not None
        assert spec.origin is not None
        return importlib.util.spec_from_loader(
            name, _Loader(name, spec.origin, self._mutant), origin=spec.origin
        )


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text()
        if source.count(self._mutant.good) != 1:
            raise SystemExit(f"{self.path} does not hold exactly once:\n{self._mutant.good}")
        return compile(source.replace(self._mutant.good, self._mutant.bad), self.path, "exec")


def infect(name: str) -> None:
    """After this the engine, which must not be imported yet, is broken."""
    mutant = MUTANTS[name]
    assert mutant.module not in sys.modules, f"{mutant.module} is imported already"
    sys.meta_path.insert(0, _Infecting(mutant))


def infect_if_told() -> None:
    """As `infect`, where the environment names a mutant."""
    if VARIABLE in os.environ:
        infect(os.environ[VARIABLE])


def main(name: str, seeds: int) -> int:
    """How the storm fares on the mutant."""
    if name != "none":
        infect(name)
    import structlog

    from streams.engine.testing.storm import storm

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for seed in range(seeds):
        try:
            storm(seed)
        except Exception as noticed:
            said: Any = str(noticed)
            print(f"{type(noticed).__name__}: {said[:200]}; seed {seed}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
