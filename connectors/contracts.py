"""The registry of every service of the way in."""

from schemas.registry import Registry
from vaart.addresses import Addresses
from vaart.settings import Settings

SCHEMA_FOLDER = "schemas"


def registry_of(settings: Settings, addresses: Addresses) -> Registry:
    """The registry, its disk copies below the state folder. It is not asked anything yet."""
    return Registry(
        addresses.registry,
        settings.registry.username,
        settings.registry.password.get_secret_value(),
        settings.state_dir / SCHEMA_FOLDER,
    )
