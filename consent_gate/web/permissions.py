"""Who may open which page. What is not in the table is closed to everybody.

Roles follow the people of a school: the office brings photos and exports in, reviewers decide,
the safeguarding lead and the data protection officer watch over it, the administrator looks after
accounts, the technician after the machine. Nobody sees children's pictures without needing to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from consent_gate.db.models import Role, User

EVERYONE = frozenset(Role)
LEAD, OFFICER = Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER
REVIEWS = frozenset({Role.REVIEWER, LEAD, Role.ADMINISTRATOR})
KNOWS_PUPILS = frozenset({Role.OFFICE, LEAD, OFFICER, Role.ADMINISTRATOR})
TAKES_BACK = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
IMPORTS = frozenset({Role.OFFICE, Role.ADMINISTRATOR})
WATCHES = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
LOOKS_AFTER_THE_MACHINE = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})

WITHOUT_LOGIN = frozenset(
    {
        "account_login",
        "account_inactive",
        "setup",
        "mfa_authenticate",
        "mfa_login_webauthn",
        "healthz",
        "metrics",
    }
)
"""Pages that must open before anybody is known; ``metrics`` asks for its own token."""

WITH_A_TOKEN = frozenset({"feed_manifest", "feed_file", "feed_confirm"})
"""Addresses for programs: ``publish.feed`` asks each for its channel's token."""

PAGES: dict[str, frozenset[Role]] = {
    "home": EVERYONE,
    "account_logout": EVERYONE,
    "account_change_password": EVERYONE,
    "account_reauthenticate": EVERYONE,
    "mfa_index": EVERYONE,
    "mfa_reauthenticate": EVERYONE,
    "mfa_activate_totp": EVERYONE,
    "mfa_deactivate_totp": EVERYONE,
    "mfa_view_recovery_codes": EVERYONE,
    "mfa_generate_recovery_codes": EVERYONE,
    "mfa_download_recovery_codes": EVERYONE,
    "mfa_list_webauthn": EVERYONE,
    "mfa_add_webauthn": EVERYONE,
    "mfa_reauthenticate_webauthn": EVERYONE,
    "mfa_remove_webauthn": EVERYONE,
    "mfa_edit_webauthn": EVERYONE,
    "queue": REVIEWS,
    "queue_batch": REVIEWS,
    "queue_progress": REVIEWS,
    "picture": REVIEWS,
    "picture_preview": REVIEWS,
    "picture_thumbnail": REVIEWS,
    "picture_face": REVIEWS,
    "picture_tag": REVIEWS,
    "picture_add_face": REVIEWS,
    "picture_describe": REVIEWS,
    "picture_note": REVIEWS,
    "picture_decide": REVIEWS,
    "picture_undo": REVIEWS,
    "picture_seal": REVIEWS,
    "sealed_advice": REVIEWS,
    "pupils": KNOWS_PUPILS,
    "pupil": KNOWS_PUPILS,
    "pupil_recall": TAKES_BACK,
    "imports": IMPORTS,
    "import_preview": IMPORTS,
    "import_apply": IMPORTS,
    "published": KNOWS_PUPILS | REVIEWS,
    "take_back": REVIEWS | TAKES_BACK,
    "copies_gone": KNOWS_PUPILS | REVIEWS,
    "audit": WATCHES,
    "audit_verify": WATCHES,
    "audit_export": WATCHES,
    "sealed": frozenset({LEAD}),
    "health": LOOKS_AFTER_THE_MACHINE | {Role.OFFICE},
    "settings": LOOKS_AFTER_THE_MACHINE | {OFFICER},
    "people": frozenset({Role.ADMINISTRATOR}),
    "person": frozenset({Role.ADMINISTRATOR}),
}
"""URL name to the roles that may use it, for every method."""


def may_open(user: User, page: str | None) -> bool:
    """Whether this person may use a page. Unknown pages, roles and people may not."""
    return user.is_active and page in PAGES and user.role in PAGES[page]


class RoleGate:
    """Middleware: asks the table before any view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """None lets the view run."""
        match = request.resolver_match
        page = match.view_name if match else None
        if page in WITHOUT_LOGIN | WITH_A_TOKEN:
            return None
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        if may_open(request.user, page):
            return None
        return render(request, "403.html", status=403)
