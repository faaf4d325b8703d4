"""What is shown of a photo: upright, in ordinary colours, small enough, and without a word about where it was taken."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

SHOWN_SIDE, SHOWN_QUALITY = 2560, 86
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 320, 72
FORMATS = ("JPEG", "PNG", "WEBP")


class Unreadable(ValueError):
    """No picture comes out of the bytes."""


def render(path: Path) -> tuple[bytes, bytes]:
    """JPEGs of a picture as it is shown and as a thumbnail, drawn anew: nothing of the sent bytes gets into them.

    EXIF orientation is applied, transparency lies on white, all metadata is left out. Raises Unreadable.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as sent:
                # A JPEG is decoded at a fraction of its size where that is enough.
                sent.draft("RGB", (SHOWN_SIDE, SHOWN_SIDE))
                sent.load()
                picture = _plain(ImageOps.exif_transpose(sent))
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError, Warning) as error:
        raise Unreadable(str(error)) from error
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    shown = _jpeg(picture, SHOWN_QUALITY)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return shown, _jpeg(picture, THUMBNAIL_QUALITY)


def _plain(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        under = Image.new("RGB", over.size, "white")
        under.paste(over, mask=over.getchannel("A"))
        return under
    return picture.convert("RGB")


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    # A new image has no `info`, so no EXIF, XMP, comment or colour profile can come along.
    Image.frombytes("RGB", picture.size, picture.tobytes()).save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
