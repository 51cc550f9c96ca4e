"""A sanitised copy has the picture's pixels and none of its metadata."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from ingest.sanitise import NotClean, sanitise
from publish.verification.verify import verify
from tests.support import images as made


@pytest.mark.parametrize("carrier", made.CARRIERS)
def test_a_sanitised_picture_carries_nothing_along(carrier: str) -> None:
    original = made.CARRIERS[carrier]()
    clean = sanitise(original)
    assert verify(clean) == []
    for name in (made.CHILD.encode(), made.CHILD.encode("utf-16-be")[:26]):
        assert name not in clean
    judged_pixels = decode(original, DecodeLimits()).rgb
    shown = np.array(Image.open(io.BytesIO(clean)))
    assert np.abs(shown.astype(int) - judged_pixels).mean() < 4


def test_a_cleaned_picture_keeps_its_size() -> None:
    shown = Image.open(io.BytesIO(sanitise(made.jpeg(made.scene(2000, 1250)))))
    assert shown.size == (2000, 1250)


def test_cleaning_refuses_what_cannot_be_examined() -> None:
    with pytest.raises(DecodeError):
        sanitise(made.jpeg()[:-100])


def test_an_unclean_result_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sanitise.render", lambda *_: made.comment_with_a_name())
    with pytest.raises(NotClean, match="comment"):
        sanitise(made.jpeg())
