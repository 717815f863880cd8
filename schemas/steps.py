"""What a plan is made of: a step is a tuple of its operation, the field it stands for, and what the operation needs."""

from enum import IntEnum
from typing import Any

Step = tuple[Any, ...]


class Read(IntEnum):
    """Reading steps. Each is followed by the field's path, then what stands here."""

    NULL = 0
    BOOLEAN = 1
    NUMBER = 2
    """low, high, units of ours in one of the writer's, what it is"""
    WHOLE_DOUBLE = 3
    """as NUMBER, and becomes a float"""
    DOUBLE = 4
    FLOAT = 5
    TEXT = 6
    BYTES = 7
    FIXED = 8
    """size"""
    AMOUNT = 9
    """scale, size or -1 where the length is written, the amounts by their bytes"""
    SYMBOL = 10
    """symbols, None where we have none"""
    UNION = 11
    """a step per branch"""
    REFUSED = 12
    """why"""
    RECORD = 13
    """struct; (step, attribute or None to pass over) per field; (attribute, default) per field the writer lacks"""
    ARRAY = 14
    """step"""
    MAP = 15
    """step"""
    PASS_NUMBER = 16
    PASS_BYTES = 17
    PASS_FIXED = 18
    """size"""


class Write(IntEnum):
    """Writing steps. Each is followed by the field's path, then what stands here."""

    BOOLEAN = 0
    NUMBER = 1
    """low, high"""
    DOUBLE = 2
    FLOAT = 3
    TEXT = 4
    BYTES = 5
    AMOUNT = 6
    OPTIONAL = 7
    """the branch that is null, step"""
    RECORD = 8
    """struct; (step, attribute) per field"""
    ARRAY = 9
    """step"""
    MAP = 10
    """step"""
