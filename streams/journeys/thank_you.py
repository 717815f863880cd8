"""A thank-you, right after a customer's first purchase, once in a lifetime."""

from streams.journeys.words import End, Journey, Moment, Reentry, Send

JOURNEY = Journey(
    name="thank_you",
    version=1,
    entry=Moment.FIRST_PURCHASE,
    reentry=Reentry.NEVER,
    steps=(Send("thank_you", template="thank_you"), End("end")),
)
