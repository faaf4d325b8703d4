"""The forty technicians with skills, vans, homes and shifts, and everybody's account."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from routing.problem import Grant
from server.demo.chance import Chance
from server.demo.world import Branch, Technician, World
from server.store import models

LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
         "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya"],
        strict=True,
    )
)  # fmt: skip

SKILLS = ("heating", "refrigeration", "kitchen", "hydraulics", "ventilation", "lifts", "electrical")
TRADES = (
    ("heating", "hydraulics", "electrical"),
    ("refrigeration", "kitchen", "electrical"),
    ("ventilation", "refrigeration", "heating"),
    ("kitchen", "refrigeration", "hydraulics"),
    ("lifts", "electrical", "hydraulics"),
    ("heating", "ventilation", "refrigeration", "hydraulics", "kitchen"),
    ("refrigeration", "ventilation", "kitchen"),
)
CERTIFIED = ("refrigeration", "lifts", "electrical", "heating")
VANS = {
    "andorra": ("Citroën Jumpy", "Renault Kangoo", "Ford Transit"),
    "moscow": ("ГАЗель Next", "Lada Largus", "УАЗ Профи"),
}
QUIET = (8, 15)
"""Whose tablets were not heard of today."""

DISPATCHER = "Berta Cairat"
PLATE_LETTERS = "АВЕКМНОРСТУХ"


def latin(name: str) -> str:
    """A name in the letters of an address: `Núria` -> `nuria`, `Щербаков` -> `shcherbakov`."""
    spelled = "".join(LATIN.get(letter, letter) for letter in name.lower())
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalnum())


def add_people(world: World, founded: datetime, password_hash: str) -> None:
    """Make the technicians of every branch and all accounts but the administrator's."""
    technicians: list[Any] = []
    accounts: list[Any] = []
    chance = Chance(world.seed, "people")
    for branch in world.branches:
        for position, (first, last) in enumerate(branch.people["technicians"]):
            person, row = _technician(world, branch, position, f"{first} {last}", chance, founded)
            branch.technicians.append(person)
            technicians.append(row)
            accounts.append(
                _account(
                    world,
                    person.user_id,
                    f"{latin(first)}.{latin(last)}@rounds.example",
                    person.name,
                    "technician",
                    branch,
                    password_hash,
                    technician_id=person.id,
                )
            )
    for role, name in (("manager", "Sofia Marín"), ("dispatcher", DISPATCHER)):
        ident = chance.id(founded)
        if role == "dispatcher":
            world.dispatcher_id = ident
        accounts.append(
            _account(
                world, ident, f"{role}@rounds.example", name, role, world.branches[0], password_hash, everywhere=True
            )
        )
    world.groups += [technicians, accounts]


def _account(
    world: World,
    ident: str,
    email: str,
    name: str,
    role: str,
    branch: Branch,
    password_hash: str,
    *,
    technician_id: str | None = None,
    everywhere: bool = False,
) -> models.User:
    return models.User(
        company_id=world.company_id,
        id=ident,
        email=email,
        name=name,
        role=role,
        locale=branch.locale,
        password_hash=password_hash,
        branch_id=None if everywhere else branch.id,
        technician_id=technician_id,
        active=True,
    )


def _technician(
    world: World, branch: Branch, position: int, name: str, chance: Chance, founded: datetime
) -> tuple[Technician, models.Technician]:
    """The last of each branch came this week: no past, no tablet."""
    new = position == len(branch.people["technicians"]) - 1
    near = chance.choice(branch.places)
    home = (round(near.lat + chance.uniform(-0.004, 0.004), 6), round(near.lon + chance.uniform(-0.006, 0.006), 6))
    skills = [_skill(code, position, branch, chance) for code in TRADES[position % len(TRADES)]]
    from_depot = position % 5 == 4
    row = models.Technician(
        company_id=world.company_id,
        id=chance.id(founded),
        branch_id=branch.id,
        name=name,
        phone=_phone(branch, chance),
        skills=skills,
        shifts=_week(position),
        home_lat=home[0],
        home_lon=home[1],
        start_from="depot" if from_depot else "home",
        van=_van(branch, chance),
        max_overtime_minutes=30 if position % 3 == 0 else 0,
        active=True,
    )
    person = Technician(
        id=row.id,
        user_id=chance.id(founded),
        device_id=None if new else chance.id(founded + timedelta(days=1)),
        name=name,
        home=home,
        starts_at=branch.depot if from_depot else home,
        skills={skill["code"]: Grant(level=skill["level"], expires=_date(skill["expires_on"])) for skill in skills},
        shifts=tuple(row.shifts),
        max_overtime_minutes=row.max_overtime_minutes,
        new=new,
        quiet=position in QUIET,
    )
    return person, row


def _date(text: str | None) -> Any:
    return datetime.fromisoformat(text).date() if text else None


def _skill(code: str, position: int, branch: Branch, chance: Chance) -> dict[str, Any]:
    """Some certificates end within the next weeks, so that somebody has to see to it."""
    expires_on = None
    if code in CERTIFIED:
        soon = position in (3, 11)
        days = chance.randint(9, 24) if soon else chance.randint(120, 900)
        expires_on = (branch.today + timedelta(days=days)).isoformat()
    return {"code": code, "level": chance.choice((1, 2, 2, 3)), "expires_on": expires_on}


def _week(position: int) -> list[dict[str, Any]]:
    """Five days each: most from Monday, some also on Saturday or Sunday; early and late shifts."""
    first = {5: 1, 9: 1, 13: 1, 12: 2, 17: 2}.get(position, 0)
    start, end = (("08:00", "17:00"), ("07:30", "16:00"), ("09:00", "18:00"))[position % 3]
    pause = ("12:30", "13:00", "13:30")[position % 3]
    return [
        {
            "weekday": (first + offset) % 7,
            "start": start,
            "end": "16:00" if (first + offset) % 7 == 4 and start != "09:00" else end,
            "break_start": pause,
            "break_minutes": 45 if position % 2 else 30,
        }
        for offset in range(5)
    ]


def _phone(branch: Branch, chance: Chance) -> str:
    number = chance.randint(0, 9_999_999)
    if branch.key == "andorra":
        return f"+376 3{number // 1000 % 100:02d} {number % 1000:03d}"
    operator = chance.choice(("903", "916", "925", "967"))
    return f"+7 {operator} {number // 10_000:03d}-{number // 100 % 100:02d}-{number % 100:02d}"


def _van(branch: Branch, chance: Chance) -> str:
    van = chance.choice(VANS[branch.key])
    if branch.key == "andorra":
        return f"{van} · {chance.choice('HJKLM')}{chance.randint(1000, 9999)}"
    letters = [chance.choice(PLATE_LETTERS) for _ in range(3)]
    return f"{van} · {letters[0]}{chance.randint(100, 999)}{letters[1]}{letters[2]} 797"
