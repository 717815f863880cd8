"""A customer's runs of journeys: who enters, what is due, what ends.

Limits: a customer has at most LIVE_MAX live runs; one more is refused, and stands among the ended as `refused`.
The newest ENDED_MAX ended runs are kept. A run finishes on the version that it started with.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from streams.journeys.words import End, Journey, Moment, Reentry, Send, Wait

LIVE_MAX = 25
ENDED_MAX = 50

RUNNING, ENDED, REFUSED = "running", "ended", "refused"

TOO_MANY_LIVE = "too_many_live"
VERSION_WITHDRAWN = "version_withdrawn"
"""The version that a run follows is no longer shipped, so it could not go on."""


class Run(msgspec.Struct, gc=False, array_like=True):
    """One customer in one journey. `due_at`: when the step where the customer waits is over."""

    journey: str
    instance_key: str
    version: int
    entered_at: int
    step: str = ""
    status: str = RUNNING
    due_at: int | None = None
    ended_at: int | None = None
    exit_reason: str | None = None


class Runs(msgspec.Struct, gc=False, array_like=True):
    """The runs of one customer. `entered_once`: journeys that this customer never enters again."""

    live: list[Run] = []
    ended: list[Run] = []
    entered_once: list[str] = []


class Sent(NamedTuple):
    """A message that a run asks for."""

    run: Run
    send: Send


class Catalogue:
    """The journeys that can run: by name and version to go on with, by moment to enter in the newest version."""

    def __init__(self, journeys: Sequence[Journey]) -> None:
        self._versions = {(each.name, each.version): each for each in journeys}
        newest = {each.name: each for each in sorted(journeys, key=lambda each: each.version)}
        self._entries = {
            moment: [each for each in newest.values() if each.entry is moment] for moment in Moment
        }

    def version(self, run: Run) -> Journey | None:
        """The journey as `run` started it; None when that version is no longer shipped."""
        return self._versions.get((run.journey, run.version))

    def entered_at(self, moment: Moment) -> list[Journey]:
        """The newest version of each journey that `moment` starts."""
        return self._entries[moment]


def meet(catalogue: Catalogue, runs: Runs, moment: Moment, key: str, now: int) -> list[Sent]:
    """After this the moment has ended the runs that it ends and started those that it starts, at `now`.

    `key` tells one occurrence of the moment from the next. The same one again changes nothing.
    """
    for run in runs.live[:]:
        _leave(catalogue.version(run), runs, run, moment, now)
    return [
        sent
        for journey in catalogue.entered_at(moment)
        for sent in _enter(runs, journey, "" if journey.reentry is Reentry.NEVER else key, now)
    ]


def resume(catalogue: Catalogue, runs: Runs, now: int) -> list[Sent]:
    """After this no run waits for a moment up to `now`."""
    due = [run for run in runs.live if run.due_at is not None and run.due_at <= now]
    due.sort(key=lambda run: run.due_at or 0)
    return [sent for run in due for sent in _resume(catalogue, runs, run, now)]


def due_at(runs: Runs) -> int | None:
    """When the next wait is over."""
    return min((run.due_at for run in runs.live if run.due_at is not None), default=None)


def _leave(journey: Journey | None, runs: Runs, run: Run, moment: Moment, now: int) -> None:
    for way_out in journey.exits if journey else ():
        if way_out.moment is moment:
            _end(runs, run, ENDED, way_out.reason, now)
            return


def _enter(runs: Runs, journey: Journey, key: str, now: int) -> Iterator[Sent]:
    if journey.name in runs.entered_once or _is_remembered(runs, journey.name, key):
        return
    run = Run(journey.name, key, journey.version, now, step=journey.steps[0].name)
    runs.live.append(run)
    if len(runs.live) > LIVE_MAX:
        _end(runs, run, REFUSED, TOO_MANY_LIVE, now)
        return
    if journey.reentry is Reentry.NEVER:
        runs.entered_once.append(journey.name)
    yield from _go_on(runs, run, journey, 0, now)


def _is_remembered(runs: Runs, name: str, key: str) -> bool:
    return any(run.journey == name and run.instance_key == key for run in (*runs.live, *runs.ended))


def _resume(catalogue: Catalogue, runs: Runs, run: Run, now: int) -> Iterator[Sent]:
    journey = catalogue.version(run)
    if journey is None:
        _end(runs, run, ENDED, VERSION_WITHDRAWN, now)
        return
    waited = next(place for place, step in enumerate(journey.steps) if step.name == run.step)
    yield from _go_on(runs, run, journey, waited + 1, now)


def _go_on(runs: Runs, run: Run, journey: Journey, place: int, now: int) -> Iterator[Sent]:
    """Takes steps from `place` until one that waits, or the end."""
    for step in journey.steps[place:]:
        run.step = step.name
        if isinstance(step, Wait):
            run.due_at = now + step.us
            return
        if isinstance(step, End):
            _end(runs, run, ENDED, step.reason, now)
        else:
            yield Sent(run, step)


def _end(runs: Runs, run: Run, status: str, reason: str, now: int) -> None:
    run.status, run.exit_reason, run.ended_at, run.due_at = status, reason, now, None
    runs.live.remove(run)
    runs.ended = [*runs.ended, run][-ENDED_MAX:]
