"""The topics, as fetching has them."""

from tests.connectors.fetching.conftest import codec, rig

__all__ = ["codec", "rig"]
