"""How long the way is: great circle × road factor ÷ speed, for all pairs at once.

Works without a network. A road engine takes its place by answering the same `matrix(points)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.problem import IntArray, Point

if TYPE_CHECKING:
    import numpy as np

EARTH_RADIUS_M = 6_371_009.0
"""The mean radius of the Earth (IUGG), which geopy has too."""


def great_circle_m(points: Sequence[Point]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Distances in metres between all `points` (lat, lon) on geopy's sphere, shape (n, n).

    Haversine form in float64: stable for near points, where the cosine form loses metres.
    """
    import numpy as np

    if not points:
        return np.zeros((0, 0))
    radians = np.radians(np.asarray(points, dtype=np.float64))
    lat, lon = radians[:, 0], radians[:, 1]
    half_lat = np.sin((lat[:, None] - lat[None, :]) / 2.0)
    half_lon = np.sin((lon[:, None] - lon[None, :]) / 2.0)
    chord = half_lat**2 + np.cos(lat)[:, None] * np.cos(lat)[None, :] * half_lon**2
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))))


@dataclass(frozen=True, kw_only=True, slots=True)
class TravelModel:
    """`road_factor`: road metres for one metre of great circle; `speed_kmh`: mean speed on those roads;
    `parking_s`: added to each leg between two different places."""

    road_factor: float = 1.35
    speed_kmh: float = 40.0
    parking_s: int = 60

    def __post_init__(self) -> None:
        if self.road_factor < 1.0 or self.speed_kmh <= 0 or self.parking_s < 0:
            raise ValueError("The road factor is at least 1, the speed above 0, the parking time not negative.")

    def matrix(self, points: Sequence[Point]) -> tuple[IntArray, IntArray]:
        """Seconds and metres between all points, shape (n, n), whole numbers, zero between equal points."""
        import numpy as np

        road_m = great_circle_m(points) * self.road_factor
        seconds = np.ceil(road_m * 3.6 / self.speed_kmh) + self.parking_s * (road_m > 0.5)
        return seconds.astype(np.int64), np.rint(road_m).astype(np.int64)
