"""The transform of the perceptual hashes."""

from __future__ import annotations

import numpy as np
import pytest

from consent_gate.matching.copies.cosine_transform import lowest_frequencies


@pytest.mark.parametrize(("frequencies", "side"), [(16, 64), (12, 32)])
def test_the_cosine_transform_is_that_of_scipy(frequencies: int, side: int) -> None:
    from scipy.fft import dct

    whole = dct(np.eye(side), axis=0, norm="ortho")
    assert np.allclose(lowest_frequencies(frequencies, side), whole[:frequencies], atol=1e-12)
