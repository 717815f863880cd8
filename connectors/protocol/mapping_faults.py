"""What is wrong with a mapping, before any document comes: names, kinds and pointers, all of it at once."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

import msgspec

from connectors.protocol import documents
from connectors.protocol.documents import Unfit
from connectors.protocol.mapping import CUSTOMER, EACH, EVENTS, FIELDS, KINDS, Rule, parted

MAIN: frozenset[str] = frozenset({""})
"""The one document of a channel that has no others."""
R = TypeVar("R", bound=Rule)
_POINTER = re.compile(r"([a-z]*)(/.*)?", re.DOTALL)


def faults(rule: Rule, others: frozenset[str] = MAIN) -> Iterator[str]:
    """What is wrong with the mapping, whatever document comes. `others` are the documents that its channel has."""
    kind = EVENTS.get(rule.event)
    if kind is None:
        yield f"{rule.event} is no event that a mapping makes"
        return
    if not rule.id:
        yield f"{rule.event}: id is empty: it names the fact, so that a repeat is known as one"
    for name in rule.customer.keys() - set(CUSTOMER):
        yield f"{rule.event}: customer has no {name}; it has {', '.join(CUSTOMER)}"
    words = [*rule.id, *rule.where, *filter(None, [rule.occurred_at]), *rule.customer.values()]
    for fault in (*_word_faults(words, others), *_field_faults(rule.fields, kind, others)):
        yield f"{rule.event}: {fault}"


def faults_of_all(told: object, kind: type[dict[str, list[R]]], others: frozenset[str]) -> Iterator[str]:
    """Those of lists of mappings by a name; each says which."""
    try:
        named = documents.fit(told, kind)
    except Unfit as error:
        yield str(error)
        return
    for name, rules in named.items():
        for rule in rules:
            yield from (f"{name}: {fault}" for fault in faults(rule, others))


def _word_faults(words: list[str], others: frozenset[str]) -> Iterator[str]:
    for word in words:
        found = _POINTER.fullmatch(parted(word)[1])
        if not word.startswith("=") and (found is None or found[1] not in others):
            yield f"`{word}` is no pointer (/a), no constant (=text), and no kind ({', '.join(KINDS)}) and pointer"


def _field_faults(fields: Mapping[str, Any], kind: type, others: frozenset[str]) -> Iterator[str]:
    known = {each.name: each for each in msgspec.structs.fields(kind) if each.name != "meta"}
    for name in fields.keys() - known.keys():
        yield f"{kind.__name__} has no {name}; it has {', '.join(known)}"
    for name in known.keys() - fields.keys():
        if known[name].required:
            yield f"{kind.__name__} needs {name}"
    for name in known.keys() & fields.keys():
        yield from _part_faults(name, fields[name], _struct_in(known[name].type), others)


def _part_faults(name: str, form: Any, kind: type | None, others: frozenset[str]) -> Iterator[str]:
    if isinstance(form, str):
        yield from _word_faults([form], others)
    elif not isinstance(form, dict):
        yield f"{name} takes a text or a map"
    elif EACH not in form:
        yield from _field_faults(form, kind, others) if kind else ()
    elif not isinstance(form[EACH], str) or not isinstance(form.get(FIELDS), dict):
        yield f"{name}: a list is written as {{each: pointer, fields: {{...}}}}"
    else:
        yield from _word_faults([form[EACH]], others)
        yield from _field_faults(form[FIELDS], kind, others) if kind else ()


def _struct_in(kind: Any) -> type | None:
    """The struct that a field is, may be, or is a list of; None where it is none."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next(filter(None, map(_struct_in, get_args(kind))), None)
