"""Any schema of ours and any other version of it: the compiled codec, the functions in Python and fastavro agree."""

from typing import Any

import pytest
from fastavro.read import SchemaResolutionError
from hypothesis import HealthCheck, Phase, event, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from schemas import coders
from schemas.coders import Reader, Writer
from schemas.plans import read_plan, write_plan
from schemas.reading import PythonReader
from schemas.resolution import Unresolvable
from schemas.wellformed import checked
from schemas.writing import PythonWriter
from tests.schemas import pairs
from tests.schemas.rows import read, rows, struct_of, written
from tests.schemas.test_codec import damaged
from tests.schemas.test_coders import FRAME, outcome

pytestmark = pytest.mark.skipif(
    coders.compiled is None,
    reason="the compiled codec was not built here: install a C compiler and install again",
)
SOME = limits(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)


@SOME
@given(some.data())
def test_another_version_is_read_alike_by_all_three(data: some.DataObject) -> None:
    ours = data.draw(pairs.ours())
    writer = checked(data.draw(pairs.theirs(ours)))
    struct = pairs.shape_of(ours)
    value = written(data.draw(rows(writer)), writer)
    try:
        compiled, why = Reader(writer, ours, struct).read, ""
    except Unresolvable as error:
        why = error.why
    if why:
        assert why == "the writer does not have this field and ours has no default"
        event("refused as a schema")
        return
    in_python = PythonReader(read_plan(writer, ours, struct), len(FRAME)).read
    found = outcome(compiled, FRAME + value)
    event(found[0])
    assert found == outcome(in_python, FRAME + value)
    if found[0] == "done":
        assert found[1] == by_fastavro(value, writer, ours, struct)
    else:
        with pytest.raises((SchemaResolutionError, UnicodeError)):
            by_fastavro(value, writer, ours, struct)
    broken = data.draw(damaged(FRAME + value))
    of_compiled, of_python = outcome(compiled, broken), outcome(in_python, broken)
    assert of_compiled == of_python or {of_compiled[0], of_python[0]} == {"cut", "refused"}


@SOME
@given(some.data())
def test_any_schema_of_ours_is_written_alike_by_all_three(data: some.DataObject) -> None:
    ours = checked(data.draw(pairs.ours(only_written=True)))
    struct = pairs.shape_of(ours)
    row = data.draw(rows(ours))
    record = struct_of(row, ours, struct)
    value = FRAME + written(row, ours)
    assert Writer(ours, struct, FRAME).write(record) == value
    assert PythonWriter(write_plan(ours, struct), FRAME).write(record) == value
    assert Reader(ours, ours, struct).read(value) == record


def by_fastavro(value: bytes, writer: Any, ours: Any, struct: type) -> Any:
    return struct_of(read(value, writer, ours), ours, struct)
