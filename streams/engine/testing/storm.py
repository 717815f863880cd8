"""A storm over the sample view by its seed: what tests run, and how a failing one is run again."""

from streams.engine.testing.sample import VIEW, load
from streams.engine.testing.simulator import Simulation


def storm(seed: int, trace: list[str] | None = None) -> str:
    """The hash of this seed's run; `trace` gets what happened in words. What it raises says how to run it again."""
    try:
        return Simulation(VIEW, load(seed), seed, trace).run()
    except Exception as error:
        error.add_note(f"seed {seed}; run it again: python -m streams.engine.testing --seed {seed} --trace")
        raise
