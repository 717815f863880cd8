"""What a customer's views remember of the events they have seen, so that a repeat is known.

An event is remembered as 64 bits of its id, the newest last. Two of a customer's few hundred remembered events
look alike once in about 10^14 customers.
"""

from hashlib import blake2b

FACT_BYTES = 8


def digest(text: str) -> bytes:
    """The 64 bits that stand for an id."""
    return blake2b(text.encode(), digest_size=FACT_BYTES).digest()


def is_known(facts: bytes, fact: bytes) -> bool:
    """Whether `fact` is among the remembered."""
    at = facts.find(fact)
    while at > 0 and at % FACT_BYTES:
        at = facts.find(fact, at + 1)
    return at >= 0


def remember(facts: bytes, fact: bytes, most: int) -> bytes:
    """`facts` and `fact`; where that is more than `most`, the first that came is forgotten."""
    return (facts + fact)[-most * FACT_BYTES :]
