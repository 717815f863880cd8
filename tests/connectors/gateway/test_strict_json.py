"""Our own API's JSON: what is not JSON, or says two things at once, is refused and never guessed."""

from decimal import Decimal

import pytest

from connectors.gateway import strict_json


def test_a_number_with_a_point_is_exact() -> None:
    assert strict_json.read(b'{"amount": 19.10}') == {"amount": Decimal("19.10")}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b'{"a": 1, "a": 2}', "the same name twice"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'{"a": "\\ud800"}', "half a surrogate pair"),
        (b"9" * 1_000_000, "more than 100 digits"),
        (b"0." + b"9" * 1_000_000, "more than 100 digits"),
        (b"[" * 10_000 + b"]" * 10_000, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"\xef\xbb\xbf{}", "not JSON"),
    ],
)
def test_what_is_not_json_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(strict_json.NotJson, match=reason):
        strict_json.read(raw)


def test_a_wide_body_is_not_a_deep_one() -> None:
    assert len(strict_json.read(b"[" + b"{}," * 1000 + b"{}]")) == 1001


def test_a_text_may_hold_any_character() -> None:
    assert strict_json.read(rb'["\ud83d\ude00 \u00e9"]') == ["😀 é"]
