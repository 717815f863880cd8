"""What a service's log looks like: one JSON object a line, whoever speaks, from whichever thread."""

import json
import subprocess
import sys
import textwrap

from vaart.logs import EXPECTED, LIBRARY_EVENT, TEXT_MAX


def lines_of(program: str) -> list[dict[str, object]]:
    """What a process of its own writes that configures its logs and then runs `program`."""
    head = "import logging, threading, structlog\nfrom vaart import logs\n"
    head += "logs.configure('worker-stock', instance='till-1')\nlog = structlog.get_logger()\n"
    ended = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_each_line_names_who_speaks_even_from_another_thread() -> None:
    (line,) = lines_of("threading.Thread(target=lambda: log.info('lane_restored', lane=3)).start()")
    assert {line[name] for name in ("event", "service", "instance", "level", "lane")} == {
        "lane_restored", "worker-stock", "till-1", "info", 3,
    }  # fmt: skip


def test_a_librarys_words_are_one_json_line() -> None:
    program = f"logging.getLogger('aiokafka').warning('one\\ntwo %s', 'x' * {2 * TEXT_MAX})"
    (line,) = lines_of(program)
    assert (line["event"], line["logger"], line["level"]) == (LIBRARY_EVENT, "aiokafka", "warning")
    assert str(line["text"]).startswith("one\ntwo x")
    assert len(str(line["text"])) == TEXT_MAX


def test_an_exception_shows_no_variable() -> None:
    program = """
    def fold(payload):
        raise ValueError("cannot be")
    try:
        fold("chantal@example.org")
    except ValueError:
        log.exception("fold_failed")
        logging.getLogger("faust").exception("failed")
    """
    own, library = lines_of(program)
    assert "exception" in own
    assert "exception" in library
    assert "chantal" not in json.dumps([own, library])


def test_what_libraries_say_of_everyday_life_is_left_out() -> None:
    ((name, words),) = EXPECTED
    program = (
        f"logging.getLogger({name!r}).warning({words!r}, 'g')\nlogging.getLogger({name!r}).info('joined')"
    )
    assert lines_of(program) == []


def test_a_library_that_repeats_itself_is_heard_now_and_then() -> None:
    program = """
    import time
    library = logging.getLogger("aiokafka")
    for _ in range(20):
        library.error("Unable to update metadata from %s", [1])
    then = time.time() + logs.REPEAT_S
    logging.setLogRecordFactory(lambda *a, **k: later(logging.LogRecord(*a, **k), then))
    def later(record, at):
        record.created = at
        return record
    library.error("Unable to update metadata from %s", [1])
    library.error("Something else")
    """
    first, again, other = lines_of(program)
    assert "repeated" not in first
    assert again["repeated"] == 19
    assert other["text"] == "Something else"
