"""Journeys are checked when they are made; a fault says which journey, what, and what to write instead."""

from typing import Any

import pytest

from streams.journeys import JOURNEYS
from streams.journeys.words import (
    DAY_US,
    STEPS_MAX,
    End,
    Journey,
    JourneyInvalid,
    Moment,
    Reentry,
    Send,
    Wait,
    checked,
)

END = End("end")
SEND = Send("tips", template="tips")


def journey(**more: Any) -> Journey:
    given = {
        "name": "tips",
        "version": 1,
        "entry": Moment.PURCHASED,
        "reentry": Reentry.NEVER,
        "steps": (SEND, END),
    }
    return Journey(**{**given, **more})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"name": "Tips!"}, "lower-case words"),
        ({"name": "life_cycle"}, "choose another"),
        ({"version": 0}, "begin at 1"),
        ({"steps": ()}, "must be an End"),
        ({"steps": (SEND,)}, "must be an End"),
        ({"steps": (END, SEND, End("last"))}, "no other, must be an End"),
        ({"steps": (SEND, Wait("tips", DAY_US), END)}, "have one name"),
        ({"steps": (Wait("w", 0), END)}, "step w waits 0"),
        ({"steps": (Wait("w", 400 * DAY_US), END)}, "366 days"),
        ({"steps": (Send("Bad name", template="t"), END)}, "'Bad name'"),
        ({"steps": (*[Send(f"s{number}", template="t") for number in range(STEPS_MAX)], END)}, "at most 100"),
    ],
)
def test_a_journey_that_cannot_run_is_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(JourneyInvalid, match=said):
        journey(**fault)


def test_a_version_is_listed_once() -> None:
    assert checked([journey(), journey(version=2)]) == (journey(), journey(version=2))
    with pytest.raises(JourneyInvalid, match="listed twice"):
        checked([journey(), journey()])


def test_the_shipped_journeys_are_as_they_were_released() -> None:
    thanks = (Send("thank_you", "thank_you", "email"), END)
    back = (Send("win_back", "win_back", "email"), END)
    assert list(JOURNEYS) == [
        Journey("thank_you", 1, Moment.FIRST_PURCHASE, Reentry.NEVER, thanks),
        Journey("win_back", 1, Moment.LAPSED, Reentry.EACH_TIME, back),
    ]
