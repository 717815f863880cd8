"""The texts of notifications: `templates/<template>.<locale>.txt`, Jinja2 in a sandbox, the subject on line one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sinks.notifications.outcomes import Reason

FOLDER = Path(__file__).parent / "templates"
FALLBACK_LOCALE = "en"
TEXT_CHARACTERS_MAX = 100_000
SUBJECT = "Subject: "

_LOCALE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Text:
    """What the customer reads."""

    subject: str
    body: str


class Unrenderable(Exception):
    """There is no such text, or it needs a variable that the request lacks. `reason` is told in the outcome."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Templates:
    """The templates of one folder. The most exact locale wins: `nl-BE`, then `nl`, then English."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
        )

    def render(self, template: str, locale: str | None, variables: Mapping[str, str]) -> Text:
        """The text for one customer. Raises Unrenderable. A name never leads out of the folder."""
        names = [f"{template}.{each}.txt" for each in _locales(locale)]
        try:
            text = self._environment.select_template(names).render(variables)
        except TemplateNotFound:
            raise Unrenderable(Reason.NO_TEMPLATE) from None
        except (TemplateError, ArithmeticError, TypeError, ValueError):
            # The text of the error could show a variable's value.
            raise Unrenderable(Reason.TEMPLATE_FAILED) from None
        return _parted(text)


def _locales(locale: str | None) -> list[str]:
    found = []
    if locale and _LOCALE.fullmatch(locale):
        found = [locale, locale.partition("-")[0].lower()]
    return [*found, FALLBACK_LOCALE]


def _parted(text: str) -> Text:
    first, _, body = text.partition("\n")
    if not first.startswith(SUBJECT) or len(text) > TEXT_CHARACTERS_MAX:
        raise Unrenderable(Reason.TEMPLATE_FAILED)
    return Text(first.removeprefix(SUBJECT).strip(), body.lstrip("\n"))
