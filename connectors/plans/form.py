"""A tracking plan: which events a source may send, and which fields, as a YAML file that its entry names (`plan:`).

```yaml
says: The web shop's plan; the web team owns it.
events:                                    # by the type of ours
  ProductViewed:
    says: A product page was opened.
    known_by: [anonymous_id, customer_id]  # one of these identifiers is there
    fields:
      sku: {required: true}
      price: {min: 0}
      currency: {one_of: [EUR]}
  CartLineAdded:
    fields: {line.sku: {required: true}, line.quantity: {min: 1, max: 99}}
    others: allowed                        # its other fields need no plan; else they are flagged
custom:                                    # by the sender's own name: what has no type of ours
  Size Guide Opened:
    fields:
      size: {kind: text, required: true, one_of: [S, M, L]}
      opened_at: {kind: time}
others: flagged                            # events that stand above in neither list; else `allowed`
```

A field may be `required`, of a `kind` (text, whole, number, amount, boolean, time, day, list, object, any), `one_of`
some values, or between `min` and `max`. Fields of ours have their kinds already. What is not as planned is flagged,
counted and kept: `connectors/plans/checking.py`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from connectors.nearest import nearest
from connectors.plans.checking import Plan, Planned, Rule
from connectors.plans.fields import (
    TYPES,
    Kind,
    NoSuchField,
    always_there,
    field_of,
    is_empty,
    property_of,
    told_in,
)
from connectors.plans.kinds import BOUNDED, CHOSEN, allows_of, fits_of
from schemas.events.activity import CustomActivityRecorded
from schemas.meta import Event

EVENTS_MAX, FIELDS_MAX, VALUES_MAX = 500, 200, 500
BYTES_MAX = 1024 * 1024
CUSTOM = CustomActivityRecorded.__name__

Note = Callable[[str], None]
Others = Literal["flagged", "allowed"]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldForm(_Form):
    """One field."""

    says: str = ""
    required: bool = False
    kind: Kind | None = None
    one_of: tuple[StrictBool | StrictInt | StrictStr, ...] = Field((), max_length=VALUES_MAX)
    min: Decimal | None = None
    max: Decimal | None = None


def _said(value: Any) -> Any:
    """Nothing behind a name plans it, and says no more."""
    return {} if value is None else value


class EventForm(_Form):
    """One event."""

    says: str = ""
    known_by: tuple[str, ...] = ()
    fields: dict[str, Annotated[FieldForm, BeforeValidator(_said)]] = Field({}, max_length=FIELDS_MAX)
    others: Others = "flagged"


class PlanForm(_Form):
    """The file."""

    says: str = ""
    events: dict[str, Annotated[EventForm, BeforeValidator(_said)]] = Field({}, max_length=EVENTS_MAX)
    custom: dict[str, Annotated[EventForm, BeforeValidator(_said)]] = Field({}, max_length=EVENTS_MAX)
    others: Others = "flagged"


def load(path: Path, note: Note) -> Plan | None:
    """The plan that the file holds. Notes every fault of it, with what is perhaps meant; None where it has any."""
    faults: list[str] = []
    form = _read(path, faults.append)
    plan = None if form is None else _plan(form, faults.append)
    for fault in faults:
        note(f"{path}: {fault}")
    return None if faults else plan


def _read(path: Path, note: Note) -> PlanForm | None:
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        if len(text) > BYTES_MAX:
            note(f"has more than {BYTES_MAX} bytes")
            return None
        return PlanForm.model_validate(yaml.safe_load(text) or {})
    except OSError as error:
        note(f"cannot be read: {error.strerror}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        note(f"is not YAML{f' at line {mark.line + 1}, column {mark.column + 1}' if mark else ''}")
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            note(f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}")
    return None


def _plan(form: PlanForm, note: Note) -> Plan:
    events, custom = {}, {}
    for name, each in form.events.items():
        if name in TYPES and name != CUSTOM:
            events[TYPES[name]] = _of_ours(TYPES[name], each, _below(note, f"events.{name}"))
        else:
            note(f"events.{name}: {_no_type(name)}")
    for name, each in form.custom.items():
        custom[name] = _of_theirs(each, _below(note, f"custom.{name}"))
    return Plan(events, custom, flags_others=form.others == "flagged")


def _no_type(name: str) -> str:
    if name == CUSTOM:
        return "what has no type of ours stands under `custom`, by the name that the sender gives it"
    return f"is no event that sources send{nearest(name, TYPES) or '; a name of the sender stands under `custom`'}"


def _of_ours(struct: type[Event], form: EventForm, note: Note) -> Planned:
    rules = []
    for path, field in form.fields.items():
        try:
            look, kind = field_of(struct, path)
        except NoSuchField as error:
            note(f"fields.{path}: there is no {error.name} in it{nearest(error.name, error.known)}")
            continue
        if field.kind not in (None, kind):
            note(f"fields.{path}: it is of the kind {kind}: leave `kind` out")
        for fault in _faults(kind, field):
            note(f"fields.{path}: {fault}")
        allows = allows_of(kind, field.one_of, field.min, field.max, is_ours=True)
        rules.append(Rule(path, look, field.required, None, allows))
    if form.others == "allowed":
        return Planned(rules, frozenset(form.known_by))
    told, names = told_in(struct), always_there(struct) | _tops(form.fields)
    return Planned(
        rules, frozenset(form.known_by), lambda event: (name for name in told(event) if name not in names)
    )


def _of_theirs(form: EventForm, note: Note) -> Planned:
    rules = []
    for path, field in form.fields.items():
        kind: Kind = field.kind or "any"
        for fault in _faults(kind, field):
            note(f"fields.{path}: {fault}")
        allows = allows_of(kind, field.one_of, field.min, field.max, is_ours=False)
        rules.append(Rule(path, property_of(path), field.required, fits_of(kind), allows))
    if form.others == "allowed":
        return Planned(rules, frozenset(form.known_by))
    names = _tops(form.fields)
    return Planned(rules, frozenset(form.known_by), lambda told: _others(told, names))


def _others(told: Mapping[str, Any], names: Collection[str]) -> Iterator[str]:
    """What is said of which there is no word in the plan."""
    return (name for name, value in told.items() if name not in names and not is_empty(value))


def _faults(kind: Kind, form: FieldForm) -> Iterator[str]:
    if form.one_of and (form.min, form.max) != (None, None):
        yield "takes one_of, or min and max"
    if form.one_of and kind not in CHOSEN:
        yield f"one_of is for texts and whole numbers; this is of the kind {kind}"
    elif any(isinstance(each, bool) or not isinstance(each, CHOSEN[kind]) for each in form.one_of):
        yield f"one_of holds what is no {kind}; YAML reads NO, ON and 12 as others than texts: write them in quotes"
    if (form.min, form.max) != (None, None) and kind not in BOUNDED:
        yield f"min and max are for numbers and amounts: give it a kind of {', '.join(sorted(BOUNDED))}"
    if form.min is not None and form.max is not None and form.min > form.max:
        yield "min is more than max"


def _tops(paths: Iterable[str]) -> frozenset[str]:
    """The names in which these paths begin, and those that have points in them."""
    return frozenset(name for path in paths for name in (path, path.split(".")[0]))


def _below(note: Note, place: str) -> Note:
    return lambda fault: note(f"{place}.{fault}")
