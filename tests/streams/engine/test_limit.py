from streams.engine.limit import IN_A_ROW, IN_A_ROW_MAX, RECORDS_MIN, SHARE, WINDOW_US, Limit, Tally

MINUTE = 60_000_000


def tallied(limit: Limit, *runs: tuple[bool, int]) -> Tally:
    """A commit of runs of records, each refused or passed so many times."""
    tally = limit.tally()
    for is_refused, count in runs:
        tally.note([is_refused] * count)
    return tally


def test_a_thousand_in_a_row_stop_the_lane_and_one_less_does_not() -> None:
    limit = Limit()
    before = tallied(limit, (False, 100_000), (True, IN_A_ROW_MAX - 1))
    assert limit.excess(before, 0) is None
    limit.add(before, 0)
    assert limit.excess(tallied(limit, (True, 1)), 0) == IN_A_ROW


def test_a_row_ends_with_a_good_record_but_one_that_was_too_long_counts() -> None:
    limit = Limit()
    limit.add(tallied(limit, (False, 100_000), (True, IN_A_ROW_MAX - 1)), 0)
    assert limit.excess(tallied(limit, (False, 1), (True, 1)), 0) is None
    assert limit.excess(tallied(limit, (True, 5), (False, 1)), 0) == IN_A_ROW


def test_more_than_a_tenth_within_the_window_stops_the_lane() -> None:
    limit = Limit()
    limit.add(tallied(limit, (False, 900), (True, 99)), 0)
    assert limit.excess(tallied(limit, (True, 1)), MINUTE) is None
    assert limit.excess(tallied(limit, (True, 2)), MINUTE) == SHARE
    assert limit.excess(tallied(limit, (False, 20), (True, 2)), MINUTE) is None


def test_few_records_have_no_share() -> None:
    limit = Limit()
    few = tallied(limit, (False, 1), (True, RECORDS_MIN - 2))
    assert limit.excess(few, 0) is None
    few.note([False])
    assert limit.excess(few, 0) == SHARE


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    limit = Limit()
    limit.add(tallied(limit, (True, 900), (False, 1)), 0)
    assert limit.excess(tallied(limit, (True, 900)), WINDOW_US) == SHARE
    assert limit.excess(tallied(limit, (True, 900)), WINDOW_US + 1) is None
    limit.add(tallied(limit, (False, 1)), WINDOW_US + 1)
    assert limit.excess(tallied(limit, (True, 900)), WINDOW_US + 1) is None


def test_a_commit_that_failed_is_not_counted() -> None:
    limit = Limit()
    for _ in range(50):
        assert limit.excess(tallied(limit, (True, 900), (False, 1)), 0) is None


def test_a_clock_that_steps_back_forgets_nothing() -> None:
    limit = Limit()
    limit.add(tallied(limit, (True, 900), (False, 1)), MINUTE)
    assert limit.excess(tallied(limit, (True, 900)), 0) == SHARE
