"""The view that says which pupils a face that was not recognised may be."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from threading import Lock

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.web.pages.candidates import CandidateViews, candidate_views
from consent_gate.web.request_context import current_home, current_user
from consent_gate.web.views.picture_panel import review_action, visible_item
from ingest.candidates import AskedFace, find_candidates
from ingest.workers.lent_pool import borrow_workers

MOST_A_MINUTE = 40
"""Faces that one person may have compared in a minute. Nobody reviews faster than that."""

TOO_MANY = "You opened many faces in the last minute. Wait a moment, or find the pupil by name."

_asked: dict[tuple[Path, str], deque[float]] = {}
_lock = Lock()


@never_cache
@require_POST
def candidates(request: HttpRequest, item_id: str, index: int) -> HttpResponse:
    """Return the pupils whom a face may show, as a part of the panel.

    It is a POST, because it starts work and is recorded.
    """
    item, problem = visible_item(item_id), ""
    found: CandidateViews | None = None
    home, actor = current_home(), current_user(request).username
    if not _may_ask(home, actor):
        problem = TOO_MANY
    else:
        face = AskedFace(item, index, review_action(request, item).revision)
        try:
            found = candidate_views(home, find_candidates(home, face, actor, borrow_workers))
            problem = found.problem
        except GateError as error:
            problem = str(error)
    return render(request, "gate/_candidates.html", {"found": found, "problem": problem})


def _may_ask(home: Home, username: str) -> bool:
    """Count one question of a person, unless there were too many in the last minute."""
    now = home.clock().timestamp()
    with _lock:
        times = _asked.setdefault((home.root, username), deque())
        while times and not 0 <= now - times[0] < 60:
            times.popleft()
        if len(times) >= MOST_A_MINUTE:
            return False
        times.append(now)
        return True
