"""The older version that a muted lane follows: where it stands, read from its changelog now and then."""

import time
from dataclasses import replace

from streams.engine.muting import Place, place_of
from streams.engine.surroundings import Surroundings
from streams.engine.takeover import Standing, standing
from vaart.errors import ConfigFault

LOOK_EVERY_S = 1.0


class Leader:
    """`place` is where the followed version stood when it was last looked at; at the very beginning before that."""

    def __init__(self, around: Surroundings, lane: int) -> None:
        self._around = around
        self._lane = lane
        self._standing: Standing | None = None
        self._look_at = 0.0
        self.place = Place(dict.fromkeys([topic.name for topic in around.view.sources], 0))

    def look(self, version: int) -> None:
        """After this `place` is at most LOOK_EVERY_S old. Raises ConfigFault where the epochs do not fit."""
        if time.monotonic() < self._look_at:
            return
        followed = replace(self._around.view, version=version)
        self._standing = standing(self._around.log, followed, self._lane, self._standing)
        position = self._standing.position
        epoch = self._around.view.epoch
        if position is not None and position.epoch >= epoch:
            raise ConfigFault(
                f"version {version} of {followed.name} stamps its snapshots with epoch {position.epoch}, this version "
                f"with {epoch}: they would be taken for older ones. Give the view a greater epoch"
            )
        self.place = self.place if position is None else place_of(position)
        self._look_at = time.monotonic() + LOOK_EVERY_S
