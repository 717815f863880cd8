"""Where one value comes from: a mapping's word, checked against what it is to become."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from connectors.files import forms
from connectors.files.columns import AMOUNT, DAY, INSTANT, INTEGER, KIND_WORDS, TEXT, Misfit, one
from connectors.files.faults import Faults, Place, closest
from connectors.files.forms import Column, Constant, EventForm, First, Mapping, Max, Min, Sum, Text, Word
from connectors.files.plan import Leaf, Scope

_ORDERED = (INTEGER, AMOUNT, INSTANT, DAY)
_SUMMED = (INTEGER, AMOUNT)
_EVERY = "takes a column's name, or one of " + ", ".join(forms.WORDS)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the mapping and in the schema we are."""

    place: Place
    scope: Scope
    required: bool
    fallback: Any = None


class Words:
    """Reads the words of one event. A wrong one is noted and counts as an empty constant, so that all faults show."""

    def __init__(
        self, mapping: Mapping, form: EventForm, given: AnyMapping[str, Any] | None, faults: Faults
    ) -> None:
        self._mapping = mapping
        self._form = form
        self._given = given
        self._faults = faults

    def leaf(self, tree: Any, kind: str, spot: Spot) -> Leaf:
        """The value that the word stands for, as this kind. Faults are noted."""
        word = self._word(tree, spot.place)
        for name in word.names:
            self.check_name(name, spot.place)
        self._check_fit(word, kind, spot)
        word = self._settled(word, kind, spot.place)
        fallback = spot.fallback
        if isinstance(word, Column) and word.default is not None:
            fallback = self._single(word.default, kind, (*spot.place, "default"))
        required = spot.required and fallback is None
        return Leaf(spot.place, kind, word, spot.scope, required, fallback)

    def check_name(self, name: str, place: Place) -> None:
        """Notes a name that stands for nothing: neither handed in, nor of a table beside."""
        prefix, dot, rest = name.rpartition(forms.JOINED)
        joins = self._mapping.table(self._form.table).join
        if name.startswith(forms.GIVEN):
            if rest not in self._mapping.given:
                self._note(place, f"{rest} is not under given" + closest(rest, self._mapping.given))
        elif dot and prefix not in joins and name not in (forms.ORDINAL, forms.NUMBER):
            known = [*joins, "given", forms.ORDINAL, forms.NUMBER]
            self._note(place, f"no table {prefix} stands beside {self._form.table}" + closest(prefix, known))

    def _word(self, tree: Any, place: Place) -> Word:
        if isinstance(tree, str):
            return Column(column=tree)
        keys = list(tree) if isinstance(tree, dict) else []
        word = next((forms.WORDS[key] for key in keys if key in forms.WORDS), None)
        if word is None:
            self._note(place, _EVERY + (closest(str(keys[0]), forms.WORDS) if keys else ""))
            return Constant(constant="")
        try:
            found = word.model_validate(tree)
            assert found.names is not None
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                is_more = each["type"] == "extra_forbidden"
                what = f"is no part of {_key_of(word)}" if is_more else each["msg"].lower()
                self._note((*place, *each["loc"]), what)
        except ValueError as error:
            self._note(place, f"{error}: write it like {{order_id}}:{{line}}")
        else:
            return found
        return Constant(constant="")

    def _check_fit(self, word: Word, kind: str, spot: Spot) -> None:
        if isinstance(word, Sum) and kind not in _SUMMED:
            self._note(spot.place, f"a sum is a number or an amount, and this is {KIND_WORDS[kind]}")
        if isinstance(word, Min | Max) and kind not in _ORDERED:
            self._note(spot.place, f"min and max are of numbers and times, and this is {KIND_WORDS[kind]}")
        if isinstance(word, First | Min | Max) and (not self._form.group or spot.scope == "row"):
            self._note(spot.place, "first, min and max are of a group's rows: name its columns under group")
        if isinstance(word, Text) and kind != TEXT:
            self._note(spot.place, f"text makes text, and this is {KIND_WORDS[kind]}")

    def _settled(self, word: Word, kind: str, place: Place) -> Word:
        """The word with what is handed in put in its place, and a constant in our terms."""
        if isinstance(word, Column) and word.column.startswith(forms.GIVEN):
            name = word.column.removeprefix(forms.GIVEN)
            if self._given is None or name not in self._given:
                return Constant(constant="")
            return Constant(constant=self._single(self._given[name], kind, place))
        if isinstance(word, Text) and self._given is not None:
            return word.with_given(dict.fromkeys(self._mapping.given, "") | dict(self._given))
        if isinstance(word, Constant) and word.constant != "":
            return Constant(constant=self._single(word.constant, kind, place))
        return word

    def _single(self, value: Any, kind: str, place: Place) -> Any:
        try:
            return one(value, kind, self._mapping.zone)
        except Misfit as misfit:
            self._note(place, str(misfit))
            return ""

    def _note(self, place: Place, what: str) -> None:
        self._faults.add(place, what)


def _key_of(word: type[Word]) -> str:
    return next(key for key, known in forms.WORDS.items() if known is word)
