"""Runs of journeys: entering, waiting, sending, leaving, and the bounds."""

from streams.journeys.runs import (
    ENDED_MAX,
    LIVE_MAX,
    REFUSED,
    TOO_MANY_LIVE,
    VERSION_WITHDRAWN,
    Catalogue,
    Runs,
    due_at,
    meet,
    resume,
)
from streams.journeys.words import End, Exit, Journey, Moment, Reentry, Send, Wait

WAIT_US = 2_000_000


def tips(version: int = 1, reentry: Reentry = Reentry.EACH_TIME) -> Journey:
    return Journey(
        "tips",
        version,
        Moment.PURCHASED,
        reentry,
        (
            Send("hello", "hello"),
            Wait("a_while", WAIT_US),
            Send(f"tips_{version}", "tips"),
            End("end", "told"),
        ),
        (Exit(Moment.LAPSED, "lapsed_meanwhile"),),
    )


SHIPPED = Catalogue([tips()])


def test_a_run_sends_waits_and_ends() -> None:
    runs = Runs()
    assert [sent.send.name for sent in meet(SHIPPED, runs, Moment.PURCHASED, "order", 10)] == ["hello"]
    assert (runs.live[0].step, runs.live[0].entered_at, due_at(runs)) == ("a_while", 10, 10 + WAIT_US)
    assert resume(SHIPPED, runs, 9 + WAIT_US) == []
    assert [sent.send.name for sent in resume(SHIPPED, runs, 10 + WAIT_US)] == ["tips_1"]
    assert (runs.live, runs.ended[0].exit_reason, runs.ended[0].ended_at, due_at(runs)) == (
        [],
        "told",
        10 + WAIT_US,
        None,
    )


def test_a_moment_ends_the_runs_that_it_is_an_exit_of() -> None:
    runs = Runs()
    meet(SHIPPED, runs, Moment.PURCHASED, "order", 10)
    meet(SHIPPED, runs, Moment.PURCHASED, "other", 10)
    meet(SHIPPED, runs, Moment.FIRST_PURCHASE, "order", 11)
    assert len(runs.live) == 2
    meet(SHIPPED, runs, Moment.LAPSED, "then", 12)
    assert runs.live == []
    assert [(run.exit_reason, run.ended_at) for run in runs.ended] == [("lapsed_meanwhile", 12)] * 2
    assert resume(SHIPPED, runs, 10 + WAIT_US) == []


def test_waits_that_are_over_end_in_the_order_of_their_times() -> None:
    runs = Runs()
    for at, order in ((30, "b"), (10, "a"), (20, "c")):
        meet(SHIPPED, runs, Moment.PURCHASED, order, at)
    assert [sent.run.instance_key for sent in resume(SHIPPED, runs, 30 + WAIT_US)] == ["a", "c", "b"]


def test_one_occurrence_is_one_run() -> None:
    runs = Runs()
    first = [
        meet(SHIPPED, runs, Moment.PURCHASED, "order", 10),
        meet(SHIPPED, runs, Moment.PURCHASED, "other", 10),
    ]
    assert [len(each) for each in first] == [1, 1]
    assert meet(SHIPPED, runs, Moment.PURCHASED, "order", 11) == []
    resume(SHIPPED, runs, 10 + WAIT_US)
    assert meet(SHIPPED, runs, Moment.PURCHASED, "order", 99) == []


def test_a_journey_of_a_lifetime_is_entered_once_even_when_its_run_is_forgotten() -> None:
    shipped, runs = Catalogue([tips(reentry=Reentry.NEVER)]), Runs()
    (sent,) = meet(shipped, runs, Moment.PURCHASED, "order", 10)
    assert sent.run.instance_key == ""
    runs.live.clear()
    assert meet(shipped, runs, Moment.PURCHASED, "other", 20) == []


def test_a_run_finishes_on_the_version_that_it_started_with() -> None:
    runs = Runs()
    meet(SHIPPED, runs, Moment.PURCHASED, "old", 10)
    both = Catalogue([tips(version=2), tips()])
    meet(both, runs, Moment.PURCHASED, "new", 11)
    assert [sent.send.name for sent in resume(both, runs, 11 + WAIT_US)] == ["tips_1", "tips_2"]


def test_a_run_whose_version_is_no_longer_shipped_ends_and_says_so() -> None:
    runs = Runs()
    meet(SHIPPED, runs, Moment.PURCHASED, "old", 10)
    only_new = Catalogue([tips(version=2)])
    meet(only_new, runs, Moment.LAPSED, "", 11)
    assert resume(only_new, runs, 10 + WAIT_US) == []
    assert (runs.live, runs.ended[0].exit_reason) == ([], VERSION_WITHDRAWN)


def test_one_live_run_too_many_is_refused_and_seen() -> None:
    runs = Runs()
    sent = [meet(SHIPPED, runs, Moment.PURCHASED, str(number), number) for number in range(LIVE_MAX + 1)]
    assert [len(each) for each in sent] == [1] * LIVE_MAX + [0]
    (refused,) = runs.ended
    assert (refused.instance_key, refused.status, refused.exit_reason) == (
        str(LIVE_MAX),
        REFUSED,
        TOO_MANY_LIVE,
    )
    assert len(runs.live) == LIVE_MAX


def test_only_the_newest_ended_runs_are_kept() -> None:
    runs = Runs()
    for number in range(ENDED_MAX + 1):
        meet(SHIPPED, runs, Moment.PURCHASED, str(number), number)
        meet(SHIPPED, runs, Moment.LAPSED, "", number)
    assert [run.instance_key for run in runs.ended] == [str(number) for number in range(1, ENDED_MAX + 1)]
