"""Column types and ids that both databases share."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, String, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): milliseconds, then a counter and random bits; rises within one process."""
    global _last
    with _lock:
        stamp = (time.time_ns() // 1_000_000 << 12) | (int.from_bytes(os.urandom(2), "big") & 0x3FF)
        _last = stamp = max(stamp, _last + 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0x2 << 62
    value |= int.from_bytes(os.urandom(8), "big") >> 2
    return str(uuid.UUID(int=value))


def json_text(value: Any) -> str:
    """The JSON text of a value; numbers that no machine word holds too."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment needs an offset.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class IdText(Uuid[str]):
    """A UUID that is text in code. Where a database keeps 32 digits, the dashes are put in without making an object."""

    def __init__(self) -> None:
        super().__init__(as_uuid=False)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return _with_dashes if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def adapt(self, cls: Any, **kwargs: Any) -> Any:
        return IdText()


def _with_dashes(key: str | None) -> str | None:
    return key and f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


IdType = IdText()
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


CompanyId = Annotated[str, mapped_column(IdType, ForeignKey("company.id"), primary_key=True)]
CompanyKey = Annotated[str, mapped_column(IdType, primary_key=True)]
Id = Annotated[str, mapped_column(IdType, primary_key=True, default=new_id)]
Ref = Annotated[str, mapped_column(IdType)]
OptionalRef = Annotated[str | None, mapped_column(IdType)]
Name = Annotated[str, mapped_column(String(200))]
Code = Annotated[str, mapped_column(String(60))]
OptionalCode = Annotated[str | None, mapped_column(String(80))]
LongText = Annotated[str | None, mapped_column(Text)]
At = Annotated[datetime, mapped_column(Moment)]
OptionalAt = Annotated[datetime | None, mapped_column(Moment)]
JsonList = Annotated[list[Any], mapped_column(Json, default=list)]
JsonObject = Annotated[dict[str, Any], mapped_column(Json, default=dict)]
OptionalJson = Annotated[dict[str, Any] | None, mapped_column(Json)]
