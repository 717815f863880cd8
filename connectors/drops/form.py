"""The `drop` section of a source: where files are dropped, which of them are taken, and when one is whole.

```yaml
drop: {folder: /srv/till, pattern: "*.csv", mapping: corner_shop.yaml, every_s: 60, whole: done}
drop:
  folder: /out
  pattern: "*.xml"
  sftp: {host: sftp.till.example, username: shop, password: {env: TILL_PASSWORD}, host_key: ssh-ed25519 AAAA...}
```
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source
from connectors.secret import Secret

HOST_KEYS_MAX = 8


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SftpForm(_Form):
    """The server that the folder is on. `host_key` is its public key, or each of them while one is replaced.

    An address inside is connected to only where it lies in one of `networks`.
    """

    host: str = Field(min_length=1)
    port: int = Field(22, ge=1, le=65535)
    username: str = Field(min_length=1)
    password: Secret | None = None
    private_key: Secret | None = None
    host_key: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field((), max_length=HOST_KEYS_MAX)
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @field_validator("host_key")
    @classmethod
    def _is_key(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            try:
                load_ssh_public_key(line.encode())
            except (ValueError, UnsupportedAlgorithm):
                raise ValueError("is no public key: write it like `ssh-ed25519 AAAA...`") from None
        return lines

    @model_validator(mode="after")
    def _whole(self) -> "SftpForm":
        if not self.host_key:
            raise ValueError(
                "needs host_key: the server's public key, as `ssh-keyscan` shows it and its operator confirms it"
            )
        if bool(self.password) == bool(self.private_key):
            raise ValueError("takes password or private_key, one of them")
        return self


class DropForm(_Form):
    """A folder, here or on a server. Paths that are relative are so to the file of sources.

    A file is looked for each `every_s`. It is `whole` when it has not changed between two looks (`stable`), or once a
    file of its name and `.done` stands beside it (`done`). One that is larger than `bytes_max`, or of which more than
    `rejects_max` rows do not fit, is refused.
    """

    folder: Path
    sftp: SftpForm | None = None
    pattern: str = Field("*", min_length=1, pattern=r"^[^/]+$")
    mapping: Path | None = None
    given: dict[str, str] = {}
    every_s: float = Field(60, gt=0, le=24 * 3600)
    whole: Literal["stable", "done"] = "stable"
    bytes_max: int = Field(4 << 30, ge=1)
    rejects_max: int = Field(1_000, ge=0)

    @property
    def secret(self) -> Secret | None:
        """Where the credential for the server stands."""
        return None if self.sftp is None else self.sftp.password or self.sftp.private_key

    def faults(self, channel: Channel) -> Iterator[str]:
        """What does not go together with the source's channel."""
        if channel is FILES and self.mapping is None:
            yield "drop: needs mapping: the file that says what its rows mean"
        if channel is not FILES and self.mapping is not None:
            yield f"drop: {channel.name} reads its files itself; with a mapping the channel is {FILES.name}"
        if channel is not FILES and channel.split is None:
            yield f"drop: {channel.name} does not come in files; with a mapping the channel is {FILES.name}"


def _receive(request: Request, source: Source) -> Outcome:
    return Refused("its events come in files")


FILES = Channel(
    name="files",
    title="Files by a mapping",
    medium="store",
    receive=_receive,
    proof="credential",
    evidence=Evidence("documented", "documented", "the source's own mapping says what its rows mean"),
)
"""The channel of a source whose files are read by a mapping. Nobody sends to it: it stands in no catalogue."""
