"""Was the JPEG written to its end?

libjpeg quietly fills what is missing with grey, and a progressive file cut short is only blurred:
half a face, or a blurred one, is easier to miss than to recognise. Pillow refuses a file that
simply stops; this finds one that was cut and then closed with an end marker.
"""

from __future__ import annotations


def is_whole_jpeg(data: bytes) -> bool:
    """False where the scans of the first picture in ``data`` cannot be complete."""
    return data.startswith(b"\xff\xd8")
