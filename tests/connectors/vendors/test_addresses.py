"""Addresses of pages: what is not taken apart is what would have come out of it the same."""

import re
from itertools import product

import pytest

from connectors.protocol.channel import Source
from connectors.vendors.web import addresses
from connectors.vendors.web.addresses import Addresses, parted, path_of

BEGINNINGS = ("http://", "https://", "HTTP://", "//", "/", "")
HOSTS = ("", "shop.example", "me@shop.example", "me:pw@shop.example", "shop.example:8080", "[", "é")
PIECES = ("", "/", "a", "?", "#", "@", ":", "%20=;&", "\t")
EVERY = ["".join(parts) for parts in product(BEGINNINGS, HOSTS, PIECES, PIECES, PIECES)]


def test_bare_addresses_are_what_taking_them_apart_makes_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Addresses(Source("")).cleaned(each) for each in EVERY]
    monkeypatch.setattr(addresses, "_BARE", re.compile("(?!)"))
    assert found == [Addresses(Source("")).cleaned(each) for each in EVERY]


def test_paths_are_those_of_their_addresses() -> None:
    for each in EVERY:
        parts = parted(each)
        assert path_of(each) == ((parts.path or None) if parts else None), each


def test_what_may_say_who_it_is_is_taken_out() -> None:
    cleaned = Addresses(Source("")).cleaned
    assert (
        cleaned("https://me:pw@shop.example/a?utm_source=x&token=1#me")
        == "https://shop.example/a?utm_source=x"
    )
    assert cleaned("https://shop.example/a") == "https://shop.example/a"
