"""Dead letters of one lane, on the log in memory: the limit that stops it, and what is replayed to it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import structlog

from schemas.events.dead_letters import DeadLettered, LetterReplayed, LetterSkipped
from schemas.topic import MAX_RECORD_BYTES, Topic
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine import stops
from streams.engine.lane import SLICE
from streams.engine.letters import Fault
from streams.engine.limit import IN_A_ROW, IN_A_ROW_MAX, RECORDS_MIN, SHARE
from streams.engine.log import LaneLost
from streams.engine.testing.driver import Driver
from streams.engine.work import VALUE_BYTES_MAX
from streams.view import Record, State, Step, Tick, View
from tests.streams.engine.counting import COUNTED, DAY, LEVELS, PASSED, VIEW, Counted, Head, event, fold
from vaart.cli.letterbox import Filed
from vaart.cli.settling import Overtaken, Settling, replaying, skipping

pytestmark = pytest.mark.usefixtures("quiet")
RUBBISH = b"rubbish"
GUILTY = event(666, event_id="guilty")


class Mended:
    """The counting view with a fault that can be mended: it refuses what `refuses` says."""

    def __init__(self) -> None:
        self.is_mended = False

    def fold(self, state: State[Head], counted: Counted | Tick) -> Step:
        if self.is_mended and isinstance(counted, Counted) and counted.units == 666:
            counted = msgspec.structs.replace(counted, units=6)
        if not self.is_mended and isinstance(counted, Tick):
            raise ArithmeticError(state.key)
        return fold(state, counted)

    @property
    def view(self) -> View:
        return replace(VIEW, fold=self.fold)


@pytest.fixture
def quiet() -> Iterator[list[Any]]:
    """What is logged: thousands of letters are not printed."""
    with structlog.testing.capture_logs() as said:
        yield said


@pytest.fixture
def mended() -> Mended:
    return Mended()


@pytest.fixture
def driver(mended: Mended) -> Driver:
    return Driver(mended.view)


def arrive(driver: Driver, *runs: tuple[Any, int]) -> None:
    """So many of each, in one batch."""
    encode = driver.around.encoders(COUNTED, Counted)
    for each, count in runs:
        value = each if isinstance(each, bytes) else encode(each)
        for _ in range(count):
            driver.log.append(COUNTED.name, b"key", value)
    fold_rest(driver)


def fold_rest(driver: Driver) -> None:
    start = driver.lane.next_offsets[COUNTED.name]
    driver.lane.fold({COUNTED.name: driver.log.committed(COUNTED.name, 0, start)})


def filed(driver: Driver) -> list[Filed]:
    """The letters as `vaart dlq` finds them."""
    found = driver.log.committed(DEAD_LETTERS.name, 0)
    decode = driver.around.decoders[DEAD_LETTERS.name]
    return [Filed((0, each.offset), 0, decode(each.value or b""), each.value or b"") for each in found]


def replay(driver: Driver, *letters: Filed) -> None:
    decision = replaying(driver.around.encoders(SETTLED_LETTERS, LetterReplayed), lambda: 0)
    assert sum(Settling(driver.log).settle(letters, decision)) == len(letters)
    while driver.lane.try_again():
        pass


def stop(driver: Driver) -> str | None:
    return None if driver.lane.stopped is None else driver.lane.stopped.word


def units(driver: Driver, key: str = "key") -> int:
    head = driver.state(key).head
    return 0 if head is None else head.units


def test_a_lane_stops_at_a_thousand_in_a_row_and_leaves_the_rest(driver: Driver) -> None:
    good = 10 * IN_A_ROW_MAX
    arrive(driver, (event(1), good), (RUBBISH, 3 * IN_A_ROW_MAX), (event(1), 10))
    assert stop(driver) == IN_A_ROW
    assert IN_A_ROW_MAX <= len(driver.dead_letters()) < IN_A_ROW_MAX + SLICE
    assert driver.lane.next_offsets[COUNTED.name] == good + len(driver.dead_letters())
    assert units(driver) == good


def test_a_lane_stops_at_a_tenth_too(driver: Driver) -> None:
    arrive(driver, *[(event(1), 9), (RUBBISH, 1)] * RECORDS_MIN)
    assert stop(driver) is None
    arrive(driver, *[(event(1), 8), (RUBBISH, 2)] * SLICE)
    assert stop(driver) == SHARE
    assert len(driver.dead_letters()) < RECORDS_MIN + 2 * SLICE


def test_a_stopped_lane_does_nothing_at_all(driver: Driver, mended: Mended) -> None:
    mended.is_mended = True
    arrive(driver, (event(1), 1), (RUBBISH, IN_A_ROW_MAX))
    letters = filed(driver)
    arrive(driver, (event(1), 1))
    driver.advance(2 * DAY)
    replay(driver, letters[0])
    here = driver.lane.next_offsets[COUNTED.name]
    driver.lane.pass_markers({COUNTED.name: (here, here)})
    head = driver.state("key").head
    assert (head.units, head.rung, filed(driver), stop(driver)) == (1, 0, letters, SHARE)


def test_what_other_sources_sent_later_waits_too() -> None:
    other = Topic("test.other.v1", (Counted,))
    driver = Driver(replace(VIEW, sources=(COUNTED, other)))
    encode = driver.around.encoders(other, Counted)
    for number in range(IN_A_ROW_MAX):
        driver.log.now = number
        driver.log.append(COUNTED.name, b"key", RUBBISH)
    driver.log.now = IN_A_ROW_MAX
    driver.log.append(other.name, b"key", encode(event(1)))
    batches = {name: driver.log.committed(name, 0) for name in (COUNTED.name, other.name)}
    driver.lane.fold(batches)
    assert (len(driver.dead_letters()), units(driver)) == (IN_A_ROW_MAX, 0)
    assert driver.lane.next_offsets == {COUNTED.name: IN_A_ROW_MAX, other.name: 0}


def test_neither_a_restart_nor_a_lost_store_lifts_the_stop_but_an_operator_does(driver: Driver) -> None:
    arrive(driver, (RUBBISH, IN_A_ROW_MAX), (event(1), 5))
    driver.restart()
    fold_rest(driver)
    assert (units(driver), driver.lane.stopped) == (0, stops.of(driver.log, VIEW, 0))
    stops.lift(driver.log, VIEW, 0)
    with pytest.raises(LaneLost):
        driver.lane.require_sole()
    driver.restart()
    fold_rest(driver)
    assert (units(driver), driver.lane.stopped) == (5, None)


def test_a_lane_that_goes_on_begins_to_count_anew(driver: Driver) -> None:
    arrive(driver, (RUBBISH, IN_A_ROW_MAX))
    stops.lift(driver.log, VIEW, 0)
    driver.restart()
    arrive(driver, (RUBBISH, IN_A_ROW_MAX - 2), (event(1), 1))
    assert (units(driver), stop(driver)) == (1, None)
    arrive(driver, (RUBBISH, IN_A_ROW_MAX))
    assert stop(driver) is not None


def test_alarms_that_raise_stop_a_lane_too(driver: Driver) -> None:
    for number in range(IN_A_ROW_MAX):
        driver.send(f"key-{number}", event(1))
    driver.advance(2 * DAY)
    assert stop(driver) is not None
    assert {letter.stage for letter in driver.dead_letters()} == {"alarm"}


def test_a_commit_that_fails_makes_no_letter_heard_of_and_counts_for_nothing(
    driver: Driver, quiet: list[Any]
) -> None:
    driver.log.writer(f"{VIEW.group}-0")
    with pytest.raises(LaneLost):
        arrive(driver, (RUBBISH, 900))
    assert (driver.dead_letters(), quiet) == ([], [])
    driver.restart()
    fold_rest(driver)
    assert (len(driver.dead_letters()), stop(driver)) == (900, None)
    assert Counter(said["event"] for said in quiet) == {"dead_letter": 900}


def test_what_a_fold_refused_is_said_without_what_the_record_said(driver: Driver) -> None:
    driver.send("key", GUILTY)
    (letter,) = driver.dead_letters()
    assert (letter.stage, letter.reason, letter.attempt) == ("fold", Fault.FOLD_RAISED, 1)
    assert letter.detail.startswith("ValueError at tests.streams.engine.counting:")


def test_a_replayed_record_is_folded_once_and_others_do_not_see_it(driver: Driver, mended: Mended) -> None:
    driver.send("key", GUILTY)
    mended.is_mended = True
    replay(driver, *filed(driver))
    assert units(driver) == 6
    assert len(driver.log.committed(COUNTED.name, 0)) == 1
    assert not driver.lane.try_again()
    driver.restart()
    assert not driver.lane.try_again()
    assert (units(driver), len(driver.outputs(PASSED))) == (6, 1)


def test_what_fails_again_is_a_letter_of_the_next_attempt(driver: Driver) -> None:
    driver.send("key", GUILTY)
    driver.now = 5
    replay(driver, *filed(driver))
    first, second = driver.dead_letters()
    assert second == msgspec.structs.replace(first, attempt=2)


def test_a_record_that_cannot_be_read_is_replayed_as_it_was(driver: Driver) -> None:
    driver.send("key", RUBBISH)
    replay(driver, *filed(driver))
    first, second = driver.dead_letters()
    assert second == msgspec.structs.replace(first, attempt=2)
    assert (second.value, second.stage) == (RUBBISH, "decode")


class Wide(Record):
    text: str


def test_a_state_that_became_too_large_names_the_topic_and_the_attempt() -> None:
    driver = Driver(replace(VIEW, head=Wide, fold=lambda state, counted: Step(Wide("x" * VALUE_BYTES_MAX))))
    driver.send("key", event(1))
    replay(driver, *filed(driver))
    first, second = driver.dead_letters()
    assert (first.source_topic, first.stage, first.reason) == (COUNTED.name, "encode", Fault.TOO_LARGE)
    assert second == msgspec.structs.replace(first, attempt=2)


def test_an_alarm_that_was_refused_goes_off_when_it_is_replayed(driver: Driver, mended: Mended) -> None:
    driver.send("key", event(1))
    driver.advance(2 * DAY)
    (letter,) = driver.dead_letters()
    assert (letter.stage, letter.reason, letter.alarm_at) == ("alarm", Fault.ALARM_RAISED, DAY)
    replay(driver, *filed(driver))
    assert [each.attempt for each in driver.dead_letters()] == [1, 2]
    mended.is_mended = True
    replay(driver, filed(driver)[1])
    assert driver.state("key").head.rung == 1
    assert driver.last(LEVELS)["key"].rung == 1


def test_an_alarm_that_was_set_again_does_not_go_off_twice(driver: Driver, mended: Mended) -> None:
    driver.send("key", event(1))
    driver.advance(2 * DAY)
    mended.is_mended = True
    driver.send("key", event(1, at=2 * DAY))
    replay(driver, *filed(driver))
    assert driver.state("key").head.rung == 0


def test_replayed_letters_of_others_and_rubbish_are_passed_over(driver: Driver, mended: Mended) -> None:
    driver.send("key", GUILTY)
    mended.is_mended = True
    (letter,) = filed(driver)
    encode = driver.around.encoders(DEAD_LETTERS, DeadLettered)
    foreign = msgspec.structs.replace(letter.letter, service="vaart.other.v1")
    decision = skipping(driver.around.encoders(SETTLED_LETTERS, LetterSkipped), lambda: 0)
    assert sum(Settling(driver.log).settle([letter], decision)) == 1
    replay(driver, replace(letter, letter=foreign, raw=encode(foreign)), replace(letter, raw=RUBBISH))
    driver.log.append(SETTLED_LETTERS.name, b"key", RUBBISH)
    assert (driver.lane.try_again(), driver.lane.try_again()) == (False, False)
    assert (units(driver), len(driver.dead_letters())) == (0, 1)
    replay(driver, letter)
    assert units(driver) == 6


def test_letters_of_a_topic_that_is_read_no_more_fail_again(driver: Driver) -> None:
    driver.send("key", GUILTY)
    (letter,) = filed(driver)
    moved = msgspec.structs.replace(letter.letter, source_topic="test.gone.v1")
    replay(
        driver, replace(letter, letter=moved, raw=driver.around.encoders(DEAD_LETTERS, DeadLettered)(moved))
    )
    assert [each.reason for each in driver.dead_letters()] == [Fault.FOLD_RAISED, Fault.NO_SOURCE]


def test_failed_replays_do_not_stop_the_lane(driver: Driver) -> None:
    arrive(driver, *[(event(1), 10), (GUILTY, 1)] * IN_A_ROW_MAX)
    replay(driver, *filed(driver))
    assert (driver.lane.stopped, len(driver.dead_letters())) == (None, 2 * IN_A_ROW_MAX)


def test_a_version_that_followed_takes_the_letters_that_it_did_not_write(mended: Mended) -> None:
    older = replace(VIEW, version=1)
    newer = replace(mended.view, version=2, epoch=2)
    driver = Driver(newer)
    encode = driver.around.encoders(DEAD_LETTERS, DeadLettered)
    driver.send("key", RUBBISH)
    driver.send("key", GUILTY)
    mended.is_mended = True
    unread, refused = [
        replace(each, raw=encode(msgspec.structs.replace(each.letter, service=older.group)))
        for each in filed(driver)
    ]
    replay(driver, unread, refused)
    assert len(driver.dead_letters()) == 2
    driver.lane.ledger.position.is_heir = True
    replay(driver, replace(unread, id=(0, 10)), replace(refused, id=(0, 11)))
    assert ([each.attempt for each in driver.dead_letters()], units(driver)) == ([1, 1, 2], 0)
    assert driver.dead_letters()[2].service == newer.group


def test_who_settles_later_fences_who_settled_before(driver: Driver) -> None:
    driver.send("key", GUILTY)
    letters = filed(driver)
    decision = replaying(driver.around.encoders(SETTLED_LETTERS, LetterReplayed), lambda: 0)
    first = Settling(driver.log)
    second = Settling(driver.log)
    with pytest.raises(Overtaken):
        sum(first.settle(letters, decision))
    assert sum(second.settle(letters, decision)) == 1
    assert len(driver.log.committed(SETTLED_LETTERS.name, 0)) == 1


def test_a_record_that_would_not_fit_into_a_letter_is_named_without_its_bytes(driver: Driver) -> None:
    size = MAX_RECORD_BYTES + 1
    driver.log.append(COUNTED.name, b"key", bytes(size - 3))
    driver.log.append(COUNTED.name, b"key", bytes(size - 4))
    fold_rest(driver)
    cut, whole = driver.dead_letters()
    assert (cut.value, cut.key, cut.left_out_bytes, cut.offset) == (None, None, size, 0)
    assert (len(whole.value or b""), whole.left_out_bytes) == (size - 4, 0)
