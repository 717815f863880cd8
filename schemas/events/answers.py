"""Answers, terms and policies that bot, agent, till and site share."""

from schemas.meta import Event, Instant


class AnswerPublished(Event, frozen=True, gc=False, kw_only=True):
    """An answer was published, or its next version."""

    answer_id: str
    version: int
    question: str
    text: str
    locale: str
    valid_from: Instant | None = None
