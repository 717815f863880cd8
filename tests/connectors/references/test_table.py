"""References are known from the topic, and what comes later is known, too."""

import time

import pytest

from connectors.references.table import References
from schemas.topics import REFERENCES
from tests.connectors.fetching.conftest import Rig

pytestmark = pytest.mark.servers
WITHIN_S = 30.0


def test_what_was_learned_is_known_and_what_comes_is_learned(rig: Rig) -> None:
    rig.learn("808", "dress-34")
    rig.learn("808", "dress-36")
    table = References(rig.settings, rig.addresses, rig.codec.decoder(REFERENCES))
    table.load()
    try:
        known = table.of("shop-nl")
        assert known("inventory_item", "808") == "dress-36"
        assert known("inventory_item", "909") is None
        assert table.of("shop-be")("inventory_item", "808") is None
        rig.learn("909", "scarf")
        deadline = time.monotonic() + WITHIN_S
        while known("inventory_item", "909") is None:
            assert time.monotonic() < deadline
    finally:
        table.close()
