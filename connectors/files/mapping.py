"""Read a mapping file: what it says, or everything that is wrong with it."""

from collections.abc import Collection
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from connectors.files import forms
from connectors.files.faults import Faults, PlainLoader, closest
from connectors.files.forms import ColumnForm, EventForm, IdentifierForm, Mapping, TableForm
from connectors.files.plan import Plan
from connectors.files.planning import columns_of, plans
from vaart.errors import UsageFault

MAPPING_BYTES_MAX = 1_048_576


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


def check_columns(mapping: Mapping, columns: AnyMapping[str, Collection[str]]) -> None:
    """Raises UsageFault for every table that is not there and every column that its table has not."""
    faults = Faults(mapping.path, mapping.text)
    for plan in plans(mapping, faults):
        _check_tables(mapping, plan, columns, faults)
    faults.raise_any()


def _check_tables(
    mapping: Mapping, plan: Plan, columns: AnyMapping[str, Collection[str]], faults: Faults
) -> None:
    own = plan.form.table
    joins = mapping.table(own).join
    for table in (own, *joins):
        if table not in columns:
            faults.add(
                ("events", plan.index, "table"),
                f"the table {table} was not handed in" + closest(table, columns),
            )
    for place, name in columns_of(plan):
        beside, dot, column = name.rpartition(forms.JOINED)
        table = own if not dot or name in columns.get(own, ()) else beside
        if table not in ("row", "given") and table in columns and column not in columns[table]:
            faults.add(place, f"{table} has no column {column}" + closest(column, columns[table]))


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
