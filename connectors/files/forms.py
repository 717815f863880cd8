"""What may stand in a mapping file: tables, events, and the few words that say where a value comes from."""

from collections.abc import Mapping as AnyMapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

GIVEN = "given."
"""Before the name of a value that the sender hands in."""
JOINED = "."
"""Between a joined table and its column."""
ORDINAL = "row.ordinal"
"""The place of a row in its group, from 1."""
NUMBER = "row.number"
"""The line of a CSV file, else the number of the row, from 1."""


def _listed(value: Any) -> Any:
    """YAML reads 12 as a number; names and what columns hold are texts."""
    values = value if isinstance(value, list) else [value]
    return [str(each) if type(each) in (int, float) else each for each in values]


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnForm(_Form):
    """How a column writes its values.

    `zone` is for local times; `epoch` says in what unit a number is a time. `decimals` is for floats that were
    computed: they are so many decimals and noise far behind them, such as 0.30000000000000004.
    """

    zone: str | None = None
    format: str | None = None
    epoch: Literal["s", "ms", "us"] | None = None
    decimals: int | None = Field(None, ge=0, le=4)
    decimal_mark: Literal[".", ","] = "."


class TableForm(_Form):
    """How a table is written, and which tables stand beside it.

    `join: {other: column}` adds the columns of the other table, which has at most one row for each value of the column.
    """

    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    columns: dict[str, ColumnForm] = {}
    join: dict[str, str | dict[str, str]] = {}

    @field_validator("join")
    @classmethod
    def _one_column_each(cls, given: dict[str, str | dict[str, str]]) -> dict[str, str | dict[str, str]]:
        if any(isinstance(on, dict) and len(on) != 1 for on in given.values()):
            raise ValueError("takes the column, or {its column: ours} where the two have different names")
        return given


class IdentifierForm(_Form):
    """By what the customer is known: a kind, and where the value stands."""

    kind: str
    value: Any
    verified: bool = False


class EventForm(_Form):
    """One kind of event of one table: one a row, or one a group of rows.

    `where` takes only rows with these values. `opening` events are sent, and acknowledged, before all others.
    """

    event: str
    table: str
    where: dict[str, Names] = {}
    group: Names = ()
    id: Any
    at: Any
    channel: str | None = None
    identifiers: list[IdentifierForm] = []
    context: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    opening: bool = False


class Mapping(_Form):
    """A whole mapping file. `given` names what the sender hands in, such as the start of a period."""

    source: str = Field(min_length=1)
    zone: str
    channel: str = Field(min_length=1)
    given: list[str] = []
    tables: dict[str, TableForm] = {}
    events: list[EventForm] = Field(min_length=1)

    _path: Path = PrivateAttr(default=Path("mapping"))
    _text: str = PrivateAttr(default="")

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self._path

    @property
    def text(self) -> str:
        """What stands in that file."""
        return self._text

    def table(self, name: str) -> TableForm:
        """How this table is written; as usual when the mapping does not say."""
        return self.tables.get(name) or TableForm()

    def column(self, table: str, name: str) -> ColumnForm:
        """How this column, of the table or of one beside it, is written."""
        beside, dot, own = name.rpartition(JOINED)
        return self.table(beside if dot else table).columns.get(own) or ColumnForm()


class Column(_Form):
    """A column's value, in other words by `map` (`otherwise` for the rest), or `default` where it is empty."""

    column: str
    map: dict[str, str] = {}
    otherwise: str | None = None
    default: str | int | bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, given: Any) -> Any:
        """YAML reads 12 as a number; what a column holds is compared as text."""
        if isinstance(given, dict) and isinstance(given.get("map"), dict):
            return {**given, "map": {str(key): value for key, value in given["map"].items()}}
        return given

    @property
    def names(self) -> tuple[str, ...]:
        """The columns it needs."""
        return (self.column,)


class Constant(_Form):
    """Always this."""

    constant: Any

    @property
    def names(self) -> tuple[str, ...]:
        """It needs no column."""
        return ()


class Text(_Form):
    """Columns put together, such as `{campaign_id}:{household_id}`."""

    text: str

    @property
    def names(self) -> tuple[str, ...]:
        """The columns it needs."""
        return tuple(name for _, name in self.pieces if name)

    @property
    def pieces(self) -> list[tuple[str, str | None]]:
        """Each a literal and the column behind it. Raises ValueError where braces hold anything but a name."""
        found = []
        for literal, name, spec, conversion in Formatter().parse(self.text):
            if (
                spec
                or conversion
                or name == ""
                or (name and not name.replace(".", "").replace("_", "").isalnum())
            ):
                raise ValueError("only a column's name may stand in braces")
            found.append((literal, name))
        return found

    def with_given(self, given: AnyMapping[str, Any]) -> "Text":
        """The same with what is handed in put in its place."""
        parts = []
        for literal, name in self.pieces:
            is_given = name is not None and name.startswith(GIVEN)
            value = str(given[name.removeprefix(GIVEN)]) if name and is_given else ""
            parts.append(_escaped(literal + value) + ("" if is_given or name is None else f"{{{name}}}"))
        return Text(text="".join(parts))


def _escaped(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")


class Sum(_Form):
    """The sum of one or more columns, over the rows of the group where there is one. Empty counts as 0."""

    sum: Names = Field(min_length=1, max_length=9)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns it needs."""
        return self.sum


class First(_Form):
    """The group's first row's value."""

    first: str

    @property
    def names(self) -> tuple[str, ...]:
        """The column it needs."""
        return (self.first,)


class Min(_Form):
    """The group's smallest number or earliest time."""

    min: str

    @property
    def names(self) -> tuple[str, ...]:
        """The column it needs."""
        return (self.min,)


class Max(_Form):
    """The group's largest number or latest time."""

    max: str

    @property
    def names(self) -> tuple[str, ...]:
        """The column it needs."""
        return (self.max,)


Word = Column | Constant | Text | Sum | First | Min | Max

WORDS: dict[str, type[Word]] = {
    "column": Column,
    "constant": Constant,
    "text": Text,
    "sum": Sum,
    "first": First,
    "min": Min,
    "max": Max,
}
"""By the key that tells them apart. A bare name is a column."""
