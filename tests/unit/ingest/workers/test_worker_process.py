"""Answers of workers that nobody foresaw."""

import pytest

from ingest.workers import answers, worker_process
from ingest.workers.answers import AnswerInvalid


@pytest.mark.parametrize("error", [KeyError, MemoryError, OverflowError, RecursionError, TypeError])
def test_an_unforeseen_error_in_an_answer_counts_as_an_invalid_answer(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def decode(*_: object) -> None:
        raise error("secret")

    monkeypatch.setattr(answers, "decode", decode)
    with pytest.raises(AnswerInvalid, match=f"^{error.__name__}$"):
        worker_process._decoded(b"", len)
