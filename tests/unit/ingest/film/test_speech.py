"""Tests of the filter with which the sound of a film is made smaller for the network."""

import numpy as np

from ingest.film import speech
from ingest.film.sound import RATE


def test_the_filter_is_the_one_of_scipy() -> None:
    from scipy.signal import firwin

    expected = firwin(speech._TAPS, speech._CUTOFF, fs=RATE)
    np.testing.assert_allclose(speech._FILTER, expected, atol=1e-7)
