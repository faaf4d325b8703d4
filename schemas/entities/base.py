"""What every synced entity has in common: fields with an owner and a merge policy, references, scopes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from zoneinfo import available_timezones

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from schemas.currencies import CURRENCIES
from schemas.hours import readable
from sync.change import Body, FieldRule, Json, Owner, PolicyName

AnyField = TypeVar("AnyField", bound=fields.Field)

EVERYONE = "everyone"
"""The scope that every device of a company holds: catalogue and reference data."""


TECHNICIAN = "technician:"
"""How the scopes of technicians' tablets begin."""


def technician_scope(technician_id: str) -> str:
    """The scope of one technician's tablets."""
    return f"{TECHNICIAN}{technician_id}"


def owned(
    field: AnyField,
    owner: Owner,
    policy: PolicyName,
    *,
    ref: str | None = None,
    closure: bool = True,
    code_of: str | None = None,
) -> AnyField:
    """Say for a field whose word it is, how it merges, and which collection it refers to.

    `closure=False` marks a reference that does not bring its document along (law 6 does not follow it). `code_of`
    names what the field holds the code of.
    """
    marks = {"owner": owner, "policy": policy, "ref": ref, "closure": closure and ref is not None, "code_of": code_of}
    field.metadata = {**field.metadata, **marks}
    return field


def office(field: AnyField, *, ref: str | None = None, closure: bool = True, code_of: str | None = None) -> AnyField:
    """Only the office writes it; a device's edit becomes a proposal."""
    return owned(field, "office", "office", ref=ref, closure=closure, code_of=code_of)


def shared(field: AnyField, policy: PolicyName, *, ref: str | None = None) -> AnyField:
    """Both sides write it; `policy` decides when both did."""
    return owned(field, "shared", policy, ref=ref)


def on_site(field: AnyField, policy: PolicyName = "technician") -> AnyField:
    """Written where the work is done."""
    return owned(field, "field", policy)


def derived(field: AnyField, *, ref: str | None = None, closure: bool = True) -> AnyField:
    """Made by the server; nobody sends it."""
    field.dump_only = True
    return owned(field, "server", "server", ref=ref, closure=closure)


def since(field: AnyField, version: int) -> AnyField:
    """Say in which schema version a field came: clients of an older one are not sent it."""
    field.metadata = {**field.metadata, "since": version}
    return field


def usually(field: AnyField, value: str | int) -> AnyField:
    """Say what a field mostly is: a document does not name it then, and without this word not when it is empty."""
    field.metadata = {**field.metadata, "usual": value}
    return field


class Instant(fields.Field[datetime]):
    """A moment: ISO 8601 with an offset on the way in, UTC with `Z` and milliseconds on the way out."""

    default_error_messages = {"instant": "Not a moment in time with an offset."}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else iso(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = parse_instant(value)
        if moment is None:
            raise self.make_error("instant")
        return moment


def iso(moment: datetime) -> str:
    """A moment as the wire has it: `2026-11-23T09:17:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def parse_instant(value: object) -> datetime | None:
    """The moment that a text says, in UTC; None for all but ISO 8601 with an offset, years 1970 to 9998."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return None
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year <= 9998 else None


class Text(fields.String):
    """Text of a bounded length in characters, without NUL or lone surrogates.

    With a `shortest` it must say something: spaces alone do not, except where `spaces` allows them.
    """

    def __init__(self, longest: int, *, shortest: int = 0, spaces: bool = False, **kwargs: Any) -> None:
        checks: list[Callable[[str], object]] = [validate.Length(max=longest), storable]
        if shortest:
            checks += [validate.Length(min=shortest), *([] if spaces else [SAYS_SOMETHING])]
        super().__init__(validate=checks, **kwargs)


class Whole(validate.Regexp):
    """Accept a text that is of one form from its first to its last character: `$` alone lets a line break follow."""

    def fits(self, value: str) -> bool:
        return re.fullmatch(str(self.regex.pattern), value) is not None

    def __call__(self, value: Any) -> Any:
        if not self.fits(value):
            raise ValidationError(self._format_error(value))
        return value


class Contains(Whole):
    """Accept a text in which the form is found anywhere."""

    def fits(self, value: str) -> bool:
        return re.search(str(self.regex.pattern), value) is not None


SHA256 = Whole("^[0-9a-f]{64}$")
CURRENCY = validate.OneOf(sorted(CURRENCIES), error="not-a-currency")
SAYS_SOMETHING = Contains(r"^$|\S", error="blank")
PHONE = Whole(r"^[+(*#]?[0-9](?:[ ()./-]*[0-9]){2}.*$", error="not-a-phone")
"""At least three digits, and whatever people write after them: an extension, a second number, a name."""


class Truth(fields.Boolean):
    """True or false as JSON has them: a 1 or a "yes" is somebody's mistake, not a truth."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value is not True and value is not False:
            raise self.make_error("invalid", input=value)
        return value


class Day(fields.Date):
    """A calendar day that has a day before and weeks after it in every time zone: from 1900 to 9998."""

    FIRST, LAST = date(1900, 1, 1), date(9998, 12, 1)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(self.FIRST, self.LAST), **kwargs)


class Zone(Text):
    """A time zone by its IANA name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(64, **kwargs)
        self.validators.append(known_zone)


class Phone(Text):
    """A telephone number as people write it, at most 60 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(60, **kwargs)
        self.validators.append(PHONE)


class Email(Text):
    """An e-mail address, at most 200 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(200, **kwargs)
        self.validators.append(validate.Email())


class OpeningHours(Text):
    """When a place is open, in the syntax of OpenStreetMap."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(300, **kwargs)
        self.validators.append(_hours)


def _hours(value: str) -> None:
    if not readable(value):
        raise ValidationError("not-opening-hours")


class Distinct(validate.Validator):
    """Accept a list of objects in which no two have the same value under a key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: set[Any] = set()
        for position, each in enumerate(value):
            if each.get(self.key) in seen:
                raise ValidationError({position: {self.key: ["twice"]}})
            seen.add(each.get(self.key))
        return value


ZONES = frozenset(available_timezones())


def known_zone(value: str) -> None:
    """Refuse what the zone database does not have: it would break every day that is shown at that place."""
    if value not in ZONES:
        raise ValidationError("Must be one of the IANA time zones.")


def storable(value: str) -> None:
    """Refuse what no database stores as text: NUL and halves of surrogate pairs."""
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValidationError("Characters that cannot be stored.", "characters")


class Entry(Schema):
    """One entry of an append list; `by`, `by_name`, `device_id` and `at_corrected` are the server's stamps."""

    class Meta:
        unknown = RAISE

    id = fields.UUID(required=True)
    at = Instant(required=True)
    by = fields.String(dump_only=True)
    by_name = fields.String(dump_only=True)
    device_id = fields.String(dump_only=True)
    at_corrected = fields.String(dump_only=True)


class EntryList(fields.List[Any]):
    """A list of entries of one form. Stored as JSON, so that it is dumped as it is; loaded through its form."""

    def __init__(self, entry: type[Entry], **kwargs: Any) -> None:
        self.entry = entry()
        self.refs = [name for name, field in self.entry.fields.items() if field.metadata.get("ref")]
        """Fields of an entry that name another document."""
        super().__init__(fields.Nested(entry), **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value or []

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        # An update may leave out fields of the document, never of an entry.
        loaded = super()._deserialize(value, attr, data, **(kwargs | {"partial": False}))
        return [self.entry.dump(entry) for entry in loaded]


class Id(fields.UUID):
    """An id: a UUID, in code as its text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **kwargs))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class Stored(fields.List[Any]):
    """A list that is stored in its one wire form (a day, a number): dumped as it is."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value or []

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        loaded = super()._deserialize(value, attr, data, **(kwargs | {"partial": False}))
        return [self.inner._serialize(each, attr, loaded) for each in loaded]


class StoredForm(fields.Nested):
    """An object that is stored in its wire form: checked on the way in, dumped as it is."""

    # marshmallow names this argument differently in Field and in Nested; one of the two must be overridden.
    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        return nested_obj

    def _deserialize(self, value: Any, attr: Any, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        return self.schema.dump(super()._deserialize(value, attr, data, False, **kwargs))


class TextInBoth(Schema):
    """A text in each language of the product."""

    class Meta:
        unknown = RAISE

    en = Text(400, required=True, shortest=1)
    ru = Text(400, required=True, shortest=1)


class Translated(fields.Nested):
    """A text in each language: `{"en": ..., "ru": ...}`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(TextInBoth, **kwargs)


class EntitySchema(Schema):
    """A synced document. Fields without a mark are the identity; all others carry owner and policy."""

    class Meta:
        unknown = RAISE

    collection: ClassVar[str]
    since: ClassVar[int] = 1
    office_may_create: ClassVar[bool] = True
    office_may_delete: ClassVar[bool] = False
    device_may_create: ClassVar[bool] = False
    device_may_delete: ClassVar[bool] = False
    called_by: ClassVar[str] = "name"
    spans: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    """Fields of which the second is not before the first, and the code of what is wrong when it is."""
    fixed: ClassVar[bool] = False
    """The id is made from the content: whoever comes first writes the document, and nobody ever changes it."""

    id = fields.UUID(dump_only=True)

    @cached_property
    def rules(self) -> dict[str, FieldRule]:
        """Field name -> its rule, for merging."""
        return {
            name: FieldRule(name=name, owner=field.metadata["owner"], policy=field.metadata["policy"])
            for name, field in self.fields.items()
            if "owner" in field.metadata
        }

    @cached_property
    def usual(self) -> Body:
        """Field -> what it is in a document that does not name it (S-17)."""
        return {name: _usual(field) for name, field in self.fields.items()}

    def lean(self, body: Body) -> Body:
        """A whole body without the fields that are as usual: the form that is stored and sent."""
        usual = self.usual
        return {name: value for name, value in body.items() if name not in usual or value != usual[name]}

    def whole(self, body: Body) -> Body:
        """A lean body with every field of the schema; lists are its own to change."""
        return {name: [] if value == [] else value for name, value in self.usual.items()} | body

    @cached_property
    def _writers(self) -> list[tuple[str, Callable[[Any, Any], Any] | None]]:
        return [(name, _writer(name, field)) for name, field in self.fields.items()]

    def wire(self, item: Any) -> Body:
        """An object in its whole wire form: what `dump` gives, without its ceremony."""
        body: Body = {}
        for name, write in self._writers:
            value = getattr(item, name)
            body[name] = value if write is None else write(value, item)
        return body

    @cached_property
    def shared_refs(self) -> frozenset[str]:
        """The fields by which a tablet may have a document refer to others."""
        return frozenset(
            name for name, rule in self.rules.items() if rule.owner == "shared" and self.fields[name].metadata["ref"]
        )

    @cached_property
    def entry_refs(self) -> dict[str, list[str]]:
        """The lists whose entries name other documents, each with the entries' fields that do."""
        return {name: field.refs for name, field in self.fields.items() if isinstance(field, EntryList) and field.refs}

    @cached_property
    def _closure(self) -> list[str]:
        return [name for name, field in self.fields.items() if field.metadata.get("closure")]

    def references(self, body: Body) -> frozenset[str]:
        """Ids of the documents that this one brings along into any scope."""
        found: set[str] = set()
        for name in self._closure:
            value = body.get(name)
            found.update(value if isinstance(value, list) else [value] if value else [])
        return frozenset(found)

    def files(self, body: Body) -> frozenset[str]:
        """Hashes of the files that a document names; they may come later than the document."""
        return frozenset()

    def scopes(self, body: Body) -> frozenset[str]:
        """The scopes that a document is in by itself; by default none, it comes along with others."""
        return frozenset()

    def about(self, body: Body) -> tuple[str, str] | None:
        """The first and last moment that a document is about: a scope with a window has it while the window reaches it.

        None for what is there at any time.
        """
        return None

    def why_left(self, body: Body) -> str:
        """The reason code that a replica hears when the document leaves its scope."""
        return "not-needed"

    def contradictions(self, body: Body) -> dict[str, str]:
        """What in a whole document does not go together: field -> code. Of single values `validated` judges."""
        held = ((first, last, code) for first, last, code in self.spans if body.get(first) and body.get(last))
        return {last: code for first, last, code in held if body[last] < body[first]}

    def known_at(self, version: int) -> list[str]:
        """The document's fields as of a schema version, its id first."""
        return [name for name, field in self.fields.items() if field.metadata.get("since", 1) <= version]

    def called(self, body: Body) -> str:
        """What people call the document."""
        value = body.get(self.called_by)
        return str(value.get("en") if isinstance(value, dict) else value or "")

    def validated(self, values: dict[str, Any], *, required: bool = False) -> Body:
        """Wire values checked and put in the one wire form; raises ValidationError naming field and code.

        Unknown and derived fields are errors. With `required`, missing required fields are too.
        """
        loaded = self.load(values, partial=not required)
        return {name: self.fields[name].serialize(name, loaded) for name in loaded}

    def complete(self, values: Body) -> None:
        """Raise ValidationError when values, all valid by themselves, lack a required field or say a derived one."""
        if not self._required <= values.keys() or any(self.fields[name].dump_only for name in values):
            self.validated(values, required=True)

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if field.required and not field.dump_only)

    def python_values(self, body: Body, names: Iterable[str]) -> dict[str, Any]:
        """Values of a body that is in wire form, as the models hold them: moments, dates, JSON as it is."""
        values: dict[str, Any] = {}
        for name in names:
            field, value = self.fields[name], body[name]
            plain = isinstance(field, Instant | fields.Date) and value is not None
            values[name] = field.deserialize(value) if plain else value
        return values


def _usual(field: fields.Field[Any]) -> Json:
    if isinstance(field, fields.List):
        return []
    return field.metadata.get("usual", False if isinstance(field, fields.Boolean) else None)


def _writer(name: str, field: fields.Field[Any]) -> Callable[[Any, Any], Any] | None:
    """How a field's value becomes what the wire has; None when it is that already. marshmallow does what is rare."""
    kind = type(field)
    if kind in (fields.Raw, Text, Zone, Phone, Email, OpeningHours, StoredForm):
        return None
    if kind is Instant:
        return lambda value, item: None if value is None else iso(value)
    if kind in (fields.Date, Day):
        return lambda value, item: None if value is None else value.isoformat()
    if kind in (EntryList, Stored):
        return lambda value, item: value or []
    return lambda value, item: field._serialize(value, name, item)
