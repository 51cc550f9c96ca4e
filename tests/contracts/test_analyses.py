"""The cached analysis of the tests answers as the confined workers do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.operations import demo
from consent_gate.register.repository import load_gallery
from ingest.faces.enrolment_face import EnrolmentFace
from ingest.workers.analysis_pool import AnalysisPool, examination_result, result_of
from ingest.workers.face_tasks import enrol
from ingest.workers.worker import examine
from tests.support.cached_analysis import CachedPool
from tests.support.settings_override import with_section

PORTRAIT = demo.portraits()["000101.jpg"]
PHOTOS = {photo.name: photo.data for photo in demo.event_photos()}


@pytest.fixture
def workers(demo_school: Home) -> Iterator[AnalysisPool]:
    home = with_section(demo_school, "analysis", workers=1)  # a second one only costs its start
    with AnalysisPool(home, load_gallery(demo_school)) as pool:
        yield pool


@pytest.fixture
def remembered(demo_school: Home) -> CachedPool:
    return CachedPool(demo_school, load_gallery(demo_school))


@pytest.mark.parametrize(
    "names", [list(PHOTOS)[:1], pytest.param(list(PHOTOS)[1:], marks=pytest.mark.slow)]
)
def test_both_say_the_same_of_each_photo_of_the_demonstration(
    workers: AnalysisPool, remembered: CachedPool, names: list[str]
) -> None:
    for name in names:
        data = PHOTOS[name]
        said = examination_result(workers.submit(examine, data))
        assert examination_result(remembered.submit(examine, data)) == said, name
        assert examination_result(remembered.submit(examine, data)) == said, f"{name}, remembered"


def test_both_make_the_same_template(workers: AnalysisPool, remembered: CachedPool) -> None:
    one = result_of(workers.submit(enrol, PORTRAIT))
    other = result_of(remembered.submit(enrol, PORTRAIT))
    assert isinstance(one, EnrolmentFace)
    assert isinstance(other, EnrolmentFace)
    assert one.versions == other.versions
    for model, vector in one.vectors.items():
        assert np.array_equal(vector, other.vectors[model])


def test_what_was_said_with_one_gallery_is_not_taken_for_another(
    demo_school: Home, remembered: CachedPool
) -> None:
    winner = PHOTOS["sports-day/01 winner.jpg"]
    known = examination_result(remembered.submit(examine, winner))
    nobody = CachedPool(demo_school, gallery_of([]))
    assert examination_result(nobody.submit(examine, winner)) != known
