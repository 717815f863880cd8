"""How far into a file everything is on Kafka, as the cursor keeps it between two chunks."""

from dataclasses import dataclass

MARK = ":"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`end` pieces of the file are sent, read in the way that `digest` names. The name comes last: it may hold MARK."""

    sha256: str = ""
    digest: str = ""
    end: int = 0
    name: str = ""

    @classmethod
    def of(cls, page: str) -> "Checkpoint":
        """What the cursor's page says; an empty one between two files."""
        if not page:
            return cls()
        sha256, digest, end, name = page.split(MARK, 3)
        return cls(sha256, digest, int(end), name)

    def __str__(self) -> str:
        return MARK.join((self.sha256, self.digest, str(self.end), self.name))

    def is_of(self, sha256: str, digest: str) -> bool:
        """Whether it says how far that file came, read in that way."""
        return (self.sha256, self.digest) == (sha256, digest)
