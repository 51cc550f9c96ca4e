"""What forms of the pages may say."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from consent_gate.model import Tag, TagKind
from consent_gate.web.forms import parse_tag


@pytest.mark.parametrize("kind", ["blurred", "cannot_tell", "not_a_face"])
def test_only_the_answer_that_names_a_pupil_may_carry_one(kind: str) -> None:
    with pytest.raises(ValueError, match=kind):
        parse_tag(QueryDict(f"say={kind}:000001"))


def test_a_pupil_is_named_by_number() -> None:
    assert parse_tag(QueryDict("say=pupil:000001")) == Tag(TagKind.PUPIL, "000001")
    assert parse_tag(QueryDict("say=nothing")) is None
