"""A win-back: a customer who has lapsed is asked to come again, once for each lapse."""

from streams.journeys.words import End, Journey, Moment, Reentry, Send

JOURNEY = Journey(
    name="win_back",
    version=1,
    entry=Moment.LAPSED,
    reentry=Reentry.EACH_TIME,
    steps=(Send("win_back", template="win_back"), End("end")),
)
