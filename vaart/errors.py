"""What goes wrong in a way that an operator can mend: each error says what to do and how the command exits."""

from typing import ClassVar


class VaartError(Exception):
    """An expected failure. Its text goes to the user as it is: no secret and no personal data may stand in it."""

    exit_code: ClassVar[int] = 1


class UsageFault(VaartError):
    """The command's words, a file or a mapping are off."""

    exit_code = 2


class DependencyAway(VaartError):
    """Kafka, the registry or Postgres cannot be reached."""

    exit_code = 69


class StorageFault(VaartError):
    """A disk is full or cannot be written."""

    exit_code = 74


class ConfigFault(VaartError):
    """Settings are missing or wrong; the text lists every fault at once."""

    exit_code = 78
