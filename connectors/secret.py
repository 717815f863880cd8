"""Where a secret of a source stands, as the file of sources says it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator


class Secret(BaseModel):
    """Where a secret stands: never in the file itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str = ""
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> "Secret":
        if bool(self.env) == bool(self.file):
            raise ValueError("takes env or file, one of them")
        return self
