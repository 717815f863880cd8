"""Python's garbage collector, set for services that hold much and make few cycles."""

import gc

YOUNG_MAX, YOUNG_ROUNDS, MIDDLE_ROUNDS = 200_000, 20, 1_000


def calm() -> None:
    """After this what was loaded so far is never looked through again, and young objects a hundred times less often.

    Call it once, when everything is imported. Records have no cycles (`gc=False`), so next to nothing waits for the
    collector; looking for it took a quarter of a worker's time (deploy/decisions/0014-garbage-collector.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, YOUNG_ROUNDS, MIDDLE_ROUNDS)
