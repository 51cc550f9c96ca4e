"""The numbers behind the hash of a picture."""

from __future__ import annotations

import numpy as np

from consent_gate.matching import picture_hash


def test_the_transform_is_the_one_of_scipy() -> None:
    from scipy.fft import dct

    whole = dct(np.eye(picture_hash._GRID), axis=0, norm="ortho")
    assert np.allclose(picture_hash._cosine_transform(), whole[: picture_hash._SIDE], atol=1e-12)
