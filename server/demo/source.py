"""Reads the files in `data/`: real places, and the words and numbers of the invented company."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A named place of the map; `category` is OpenStreetMap's `key=value`."""

    osm_id: str
    name: str
    category: str
    street: str
    house_number: str
    city: str
    opening_hours: str
    lat: float
    lon: float


def read_json(name: str) -> Any:
    """The content of one JSON file of the folder."""
    return json.loads((FOLDER / name).read_text("utf-8"))


def read_places(name: str) -> list[Place]:
    """The places of one CSV file, in its order."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return [
            Place(
                osm_id=row["osm_id"],
                name=row["name"],
                category=row["category"],
                street=row["street"],
                house_number=row["house_number"],
                city=row["city"],
                opening_hours=row["opening_hours"],
                lat=float(row["latitude"]),
                lon=float(row["longitude"]),
            )
            for row in csv.DictReader(file)
        ]
