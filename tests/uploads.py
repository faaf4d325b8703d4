"""What a tablet says about files, in the words of tus, over the test client."""

from __future__ import annotations

import base64
from typing import Any

from werkzeug.test import TestResponse

from schemas.entities.base import iso
from tests.builders import entry
from tests.pictures import sha256
from tests.tablets import Tablet

BYTES = "application/offset+octet-stream"


def ask(tablet: Tablet, method: str, path: str, data: bytes = b"", json: Any = None, **headers: str) -> TestResponse:
    """One request of a tablet; `Upload_Offset="5"` sends that header, and every request tells the version of tus."""
    transport: Any = tablet.transport
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Tus-Resumable": "1.0.0"} | given | {"Authorization": f"Bearer {tablet.state.token}"}
    body = {"json": json} if json is not None else {"data": data}
    answer: TestResponse = transport.client.open(path, method=method, headers=given, buffered=True, **body)
    return answer


def told(**values: str) -> str:
    """An Upload-Metadata header."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


def announce(tablet: Tablet, data: bytes, hash_told: str | None = None, **more: Any) -> TestResponse:
    """Begin an upload of these bytes; `media_type`, `filename`, `ahead_of` and `size` may be told otherwise."""
    values = {"sha256": hash_told or sha256(data), "media_type": "image/jpeg"} | more
    size = str(values.pop("size", len(data)))
    return ask(tablet, "POST", "/sync/v1/uploads", Upload_Length=size, Upload_Metadata=told(**values))


def send(tablet: Tablet, place: str, data: bytes, offset: int = 0, **headers: str) -> TestResponse:
    """Send bytes from an offset on."""
    return ask(tablet, "PATCH", place, data, Content_Type=BYTES, Upload_Offset=str(offset), **headers)


def upload(tablet: Tablet, data: bytes, **more: Any) -> TestResponse:
    """Announce a file and send it whole."""
    return send(tablet, announce(tablet, data, **more).headers["Location"], data)


def receipt(tablet: Tablet, data: bytes) -> Any:
    """What the server says of a file."""
    return ask(tablet, "GET", f"/sync/v1/attachments/{sha256(data)}/receipt").json


def attach(tablet: Tablet, visit: str, *files: bytes, media_type: str = "image/jpeg") -> None:
    """Name files in a visit, as taking photos does, and push that."""
    entries = [
        entry(kind="photo", sha256=sha256(data), size=len(data), media_type=media_type, name=f"photo-{number}.jpg")
        for number, data in enumerate(files)
    ]
    tablet.change(visit, add={"attachments": entries})
    results = tablet.sync()
    assert all(result["status"] in ("applied", "merged") for result in results), results


def clock(moment: Any) -> str:
    """A moment as the wire has it."""
    return iso(moment)
