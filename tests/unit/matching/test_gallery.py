"""Stacking the templates of the enrolled pupils."""

from __future__ import annotations

import numpy as np
import pytest

from consent_gate.errors import ModelUnavailable
from consent_gate.matching.gallery import SFACE, Template, gallery_of
from tests.support.face_vectors import VERSIONS, school, someone, template


def test_templates_of_two_model_versions_are_refused() -> None:
    old = Template("004001", someone(1), {**VERSIONS, SFACE: "last year's"})
    with pytest.raises(ModelUnavailable):
        gallery_of([old, *school(3)])


def test_a_damaged_template_is_refused() -> None:
    person = someone(1)
    with pytest.raises(ModelUnavailable):
        gallery_of([template("004001", {**person, SFACE: person[SFACE] * np.nan})])
