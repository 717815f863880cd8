"""Which name was perhaps meant: a hint for whoever misspelt one."""

from collections.abc import Iterable
from difflib import get_close_matches

NAME_LENGTH_MAX = 80


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` with the nearest known name; empty where none is near. Upper and lower case are alike."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(name.lower()[:NAME_LENGTH_MAX], by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""
