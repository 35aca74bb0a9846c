"""Is this process still alive in every part? A silent watch looks like a quiet cluster.

Every part that must be heard of reports itself here; what is late is a problem with a name.
Health only observes: ending the process is the kubelet's part, by its liveness probe.
"""

from __future__ import annotations

from collections.abc import Callable

from haikube.engine.clock import Clock

LAG_LIMIT = 5.0
_BEAT = 1.0


class Health:
    """Ages of signs of life, the event loop's lag, and gauges with limits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._signs: dict[str, tuple[float, float]] = {}
        self._gauges: dict[str, tuple[Callable[[], float], float]] = {}
        self._lag = 0.0

    def expect(self, name: str, limit: float) -> None:
        """Expect a sign of life of ``name`` at least every ``limit`` seconds, from now on."""
        self._signs[name] = (self._clock.monotonic(), limit)

    def seen(self, name: str) -> None:
        """Note a sign of life of something expected."""
        _, limit = self._signs[name]
        self._signs[name] = (self._clock.monotonic(), limit)

    def bound(self, name: str, gauge: Callable[[], float], limit: float) -> None:
        """Call it a problem when ``gauge`` is over ``limit``."""
        self._gauges[name] = (gauge, limit)

    def ages(self) -> dict[str, float]:
        """Return the seconds since the last sign of life of everything expected."""
        now = self._clock.monotonic()
        return {name: now - at for name, (at, _) in self._signs.items()}

    @property
    def lag(self) -> float:
        """Return by how many seconds the event loop was late last time."""
        return self._lag

    async def beat(self) -> None:
        """Measure the event loop's lag until cancelled."""
        while True:
            start = self._clock.monotonic()
            await self._clock.sleep(_BEAT)
            self._lag = self._clock.monotonic() - start - _BEAT

    def problems(self) -> list[str]:
        """Return what is wrong, in words; nothing if all is well."""
        limits = {name: limit for name, (_, limit) in self._signs.items()}
        late = [
            f"{name}: silent for {age:.0f} s, at most {limits[name]:.0f} s are normal"
            for name, age in self.ages().items()
            if age > limits[name]
        ]
        over = [
            f"{name}: {gauge():.0f} is over {limit:.0f}"
            for name, (gauge, limit) in self._gauges.items()
            if gauge() > limit
        ]
        slow = [f"event loop: {self._lag:.1f} s late"] if self._lag > LAG_LIMIT else []
        return [*late, *over, *slow]
