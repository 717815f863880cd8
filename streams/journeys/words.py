"""The words in which a journey is written: when a customer enters, the steps, what ends it early.

    JOURNEY = Journey(
        name="care_tips",
        version=1,
        entry=Moment.FIRST_PURCHASE,
        reentry=Reentry.NEVER,
        steps=(Wait("five_days", 5 * DAY_US), Send("tips", template="care_tips"), End("end")),
        exits=(Exit(Moment.PURCHASED, "bought_again"),),
    )

A journey is checked when it is made. Once it has run somewhere it never changes: write the next version beside it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
WAIT_MIN_US, WAIT_MAX_US = SECOND_US, 366 * DAY_US
STEPS_MAX = 100

LIFE_CYCLE = "life_cycle"
"""The name under which the value life cycle stands among the journeys; no journey may take it."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class JourneyInvalid(ValueError):
    """A journey cannot run as it is written; the text says which, where and what to write instead."""


class Moment(StrEnum):
    """What happens to a customer that a journey may start or end at."""

    FIRST_PURCHASE = "first_purchase"
    PURCHASED = "purchased"
    LAPSED = "lapsed"


class Reentry(StrEnum):
    """How often one customer may enter: once ever, or once for each occurrence of the entry's moment."""

    NEVER = "never"
    EACH_TIME = "each_time"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing happens for `us` microseconds."""

    name: str
    us: int


@dataclass(frozen=True, slots=True)
class Send:
    """A message is asked for."""

    name: str
    template: str
    medium: str = "email"


@dataclass(frozen=True, slots=True)
class End:
    """The journey is over. It is the last step of each journey, and says why it ended."""

    name: str
    reason: str = "completed"


Step = Wait | Send | End


@dataclass(frozen=True, slots=True)
class Exit:
    """From wherever the customer is, the moment ends the journey for this reason."""

    moment: Moment
    reason: str


@dataclass(frozen=True, slots=True)
class Journey:
    """One version of a journey. Raises JourneyInvalid when it cannot run."""

    name: str
    version: int
    entry: Moment
    reentry: Reentry
    steps: tuple[Step, ...]
    exits: tuple[Exit, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self, "the journey", self.name)
        if self.name == LIFE_CYCLE:
            _refuse(self, f"the name {LIFE_CYCLE} is taken: choose another")
        if self.version < 1:
            _refuse(self, "versions begin at 1")
        _check_steps(self)


def checked(journeys: Sequence[Journey]) -> tuple[Journey, ...]:
    """The journeys as they are, once no two of them are the same version of the same journey."""
    seen = set()
    for each in journeys:
        if (each.name, each.version) in seen:
            _refuse(each, "this version is listed twice: give the later one the next version")
        seen.add((each.name, each.version))
    return tuple(journeys)


def _check_steps(journey: Journey) -> None:
    steps = journey.steps
    if len(steps) > STEPS_MAX:
        _refuse(journey, f"it has {len(steps)} steps: at most {STEPS_MAX} are allowed")
    if [type(each) for each in steps].count(End) != 1 or not isinstance(steps[-1], End):
        _refuse(journey, "its last step, and no other, must be an End")
    if len({each.name for each in steps}) < len(steps):
        _refuse(
            journey, "two of its steps have one name: a message is known by its step, so each needs its own"
        )
    for each in steps:
        _check_name(journey, "a step", each.name)
        if isinstance(each, Wait) and not WAIT_MIN_US <= each.us <= WAIT_MAX_US:
            _refuse(
                journey, f"step {each.name} waits {each.us} microseconds: a second to 366 days are allowed"
            )


def _check_name(journey: Journey, what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        _refuse(
            journey,
            f"{what} is named {name!r}: write lower-case words with underscores, 64 characters at most",
        )


def _refuse(journey: Journey, why: str) -> None:
    raise JourneyInvalid(f"journey {journey.name!r} version {journey.version}: {why}")
