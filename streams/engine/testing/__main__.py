"""Runs storms: `python -m streams.engine.testing --seeds 0-300`, or one again with `--seed 7 --trace`."""

import argparse
import logging
import sys
import traceback

import structlog

from streams.engine.testing.storm import storm


def main() -> int:
    """0 where every seed kept every promise, 1 at the first that did not."""
    parser = argparse.ArgumentParser(prog="python -m streams.engine.testing", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", type=_seeds, help="run these, such as 0-300 (300 is not one of them)")
    which.add_argument("--seed", type=int, help="run this one")
    parser.add_argument("--trace", action="store_true", help="print what happened, step by step")
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seeds = told.seeds or range(told.seed, told.seed + 1)
    if not all(_passes(seed, is_traced=told.trace) for seed in seeds):
        return 1
    print(f"{len(seeds)} storms, every promise kept")  # noqa: T201
    return 0


def _passes(seed: int, *, is_traced: bool) -> bool:
    trace: list[str] = []
    try:
        trace.append(f"seed {seed}: {storm(seed, trace)}")
    except Exception:
        traceback.print_exc()
        return False
    finally:
        if is_traced:
            print("\n".join(trace))  # noqa: T201
    return True


def _seeds(text: str) -> range:
    first, _, stop = text.partition("-")
    return range(int(first), int(stop))


if __name__ == "__main__":
    sys.exit(main())
