"""The writers that every sink asks for at its start, with what to do where one cannot be had."""

from schemas.codec import Codec, Encode
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topic import Topic
from vaart.errors import ConfigFault, DependencyAway


def encoder(codec: Codec, topic: Topic, struct: type) -> Encode:
    """Writes records of `struct` for `topic`. Raises ConfigFault where it is not registered, DependencyAway."""
    try:
        return codec.encoder(topic, struct)
    except SchemaUnknown as error:
        raise ConfigFault(str(error)) from None
    except RegistryAway as error:
        raise DependencyAway(
            f"{error}.\nStart it (`vaart up` starts a local one), or set VAART_REGISTRY__URL to its address."
        ) from None
