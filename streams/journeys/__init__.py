"""The journeys that are shipped: every version that somebody may still be in."""

from streams.journeys import thank_you, win_back
from streams.journeys.words import checked

JOURNEYS = checked((thank_you.JOURNEY, win_back.JOURNEY))
