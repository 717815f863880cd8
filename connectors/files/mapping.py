"""Read a mapping file: what it says, or everything that is wrong with it."""

from collections.abc import Collection
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from connectors.files import forms
from connectors.files.faults import Faults, Place, PlainLoader, closest
from connectors.files.forms import ColumnForm, EventForm, IdentifierForm, Mapping, TableForm
from connectors.files.plan import Plan
from connectors.files.planning import columns_of, plans
from connectors.nearest import nearest
from vaart.errors import UsageFault

MAPPING_BYTES_MAX = 1_048_576

Columns = AnyMapping[str, Collection[str]]
"""The columns of each table that was handed in."""


def load(path: Path) -> Mapping:
    """The mapping in the file. Raises UsageFault with every fault: file, line, what is wrong, what to do."""
    text = _text(path)
    try:
        tree = yaml.load(text, Loader=PlainLoader)  # noqa: S506
        faults = Faults(path, text)
    except yaml.YAMLError as error:
        raise UsageFault(_unreadable(path, error)) from None
    mapping = _validated(tree, faults)
    mapping._path, mapping._text = path, text
    plans(mapping, faults)
    faults.raise_any()
    return mapping


def settled(mapping: Mapping, given: AnyMapping[str, Any], received_at: int) -> list[Plan]:
    """How each kind of event is made with what is handed in. Raises UsageFault where something is missing or off."""
    faults = Faults(mapping.path, mapping.text)
    found = plans(mapping, faults, given, received_at)
    faults.raise_any()
    return found


def check_columns(mapping: Mapping, columns: Columns) -> None:
    """Raises UsageFault for every table that is not there and every column that its table has not."""
    faults = Faults(mapping.path, mapping.text)
    for name in mapping.tables.keys() & columns.keys():
        _check_form(mapping, name, columns, faults)
    for plan in plans(mapping, faults):
        _check_plan(mapping, plan, columns, faults)
    faults.raise_any()


def _check_form(mapping: Mapping, table: str, columns: Columns, faults: Faults) -> None:
    """A misspelt column would lose its zone in silence."""
    form = mapping.table(table)
    for column in form.columns:
        _check_column(("tables", table, "columns", column), table, column, columns, faults)
    for other, on in form.join.items():
        theirs, ours = (on, on) if isinstance(on, str) else next(iter(on.items()))
        _check_column(("tables", table, "join", other), table, ours, columns, faults)
        _check_column(("tables", table, "join", other), other, theirs, columns, faults)


def _check_plan(mapping: Mapping, plan: Plan, columns: Columns, faults: Faults) -> None:
    own = plan.form.table
    for table in (own, *mapping.table(own).join):
        if table not in columns:
            missing = f"the table {table} was not handed in" + closest(table, columns)
            faults.add(("events", plan.index, "table"), missing)
    for place, name in columns_of(plan):
        beside, dot, column = name.rpartition(forms.JOINED)
        if name not in (forms.ORDINAL, forms.NUMBER) and not name.startswith(forms.GIVEN):
            _check_column(place, beside if dot else own, column, columns, faults)


def _check_column(place: Place, table: str, column: str, columns: Columns, faults: Faults) -> None:
    if table in columns and column not in columns[table]:
        # Without a line of names, the first customer's data stand in their place.
        near = nearest(column, columns[table]) or "; the first line of its file must name its columns"
        faults.add(place, f"{table} has no column {column}{near}")


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageFault(f"{path} is not UTF-8 text: save it as UTF-8") from None
    if len(text) > MAPPING_BYTES_MAX:
        raise UsageFault(f"{path} is larger than {MAPPING_BYTES_MAX} bytes: is it a mapping?")
    return text


def _validated(tree: Any, faults: Faults) -> Mapping:
    if not isinstance(tree, dict):
        faults.add((), "a mapping file holds source, zone, channel, tables and events")
        faults.raise_any()
    try:
        return Mapping.model_validate(tree)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            faults.add(each["loc"], _said(each["type"], each["loc"], each["msg"]))
        faults.raise_any()
        raise


def _said(kind: str, place: tuple[str | int, ...], message: str) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is no word of a mapping" + closest(str(place[-1]), _known_at(place))
    return message[0].lower() + message[1:]


def _known_at(place: tuple[str | int, ...]) -> list[str]:
    """The words that may stand at this place."""
    known: dict[tuple[str, ...], type[BaseModel]] = {
        ("events",): EventForm,
        ("events", "identifiers"): IdentifierForm,
        ("tables",): TableForm,
        ("tables", "columns"): ColumnForm,
    }
    keys = tuple(str(part) for part in place[:-1] if part in ("events", "identifiers", "tables", "columns"))
    return list(known.get(keys, Mapping).model_fields)


def _unreadable(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    return f"{path}:{line}: not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}"
