"""Who may open which page. What is not in the table is closed to everybody.

Roles follow the people of a school: the office brings photos and exports in, reviewers decide,
the safeguarding lead and the data protection officer watch over it, the administrator looks after
accounts, the technician after the machine. Nobody sees children's pictures without needing to.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from consent_gate.db.models import Role, User
from consent_gate.web.current import the_home

EVERYONE = frozenset(Role)
LEAD, OFFICER = Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER
REVIEWS = frozenset({Role.REVIEWER, LEAD, Role.ADMINISTRATOR})
KNOWS_PUPILS = frozenset({Role.OFFICE, LEAD, OFFICER, Role.ADMINISTRATOR})
TAKES_BACK = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
IMPORTS = frozenset({Role.OFFICE, Role.ADMINISTRATOR})
WATCHES = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
CONFIRMS = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
LOOKS_AFTER_THE_MACHINE = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})

WITHOUT_LOGIN = frozenset(
    {
        "account_login",
        "openid_connect_login",
        "openid_connect_callback",
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
    "queue_classes": REVIEWS,
    "picture": REVIEWS,
    "picture_preview": REVIEWS,
    "picture_thumbnail": REVIEWS,
    "pupil_portrait": REVIEWS,
    "picture_face": REVIEWS,
    "picture_tag": REVIEWS,
    "picture_add_face": REVIEWS,
    "picture_crop": REVIEWS,
    "picture_enrol": REVIEWS,
    "picture_describe": REVIEWS,
    "picture_note": REVIEWS,
    "picture_decide": REVIEWS,
    "picture_undo": REVIEWS,
    "picture_seal": REVIEWS,
    "sealed_advice": REVIEWS,
    "pupils": KNOWS_PUPILS,
    "pupil": KNOWS_PUPILS,
    "pupil_recall": TAKES_BACK,
    "pupil_export": frozenset({OFFICER, Role.ADMINISTRATOR}),
    "pupil_erase": frozenset({OFFICER}),
    "pupil_ask_lift": KNOWS_PUPILS,
    "pupil_confirm_lift": CONFIRMS,
    "pupil_keep_mark": CONFIRMS,
    "erasures": WATCHES,
    "confirmations": CONFIRMS,
    "imports": IMPORTS,
    "import_preview": IMPORTS,
    "import_questions": IMPORTS,
    "import_apply": IMPORTS,
    "import_look": IMPORTS,
    "import_run": IMPORTS | {LEAD, OFFICER},
    "import_undo": IMPORTS | {OFFICER},
    "published": KNOWS_PUPILS | REVIEWS,
    "take_back": REVIEWS | TAKES_BACK,
    "copies_gone": KNOWS_PUPILS | REVIEWS,
    "audit": WATCHES,
    "audit_verify": WATCHES,
    "audit_export": WATCHES,
    "sealed": frozenset({LEAD}),
    "sealed_ask": frozenset({LEAD}),
    "sealed_take": frozenset({LEAD}),
    "sealed_confirm": CONFIRMS,
    "sealed_refuse": CONFIRMS,
    "cameras": WATCHES | {Role.OFFICE, Role.TECHNICIAN},
    "camera_change": frozenset({Role.OFFICE, LEAD, Role.ADMINISTRATOR}),
    "calibration": WATCHES | {Role.TECHNICIAN},
    "calibration_report": WATCHES | {Role.TECHNICIAN},
    "calibration_accept": WATCHES,
    "health": LOOKS_AFTER_THE_MACHINE | {Role.OFFICE},
    "settings": LOOKS_AFTER_THE_MACHINE | {OFFICER},
    "people": frozenset({Role.ADMINISTRATOR}),
    "person": frozenset({Role.ADMINISTRATOR}),
}
"""URL name to the roles that may use it, for every method."""


WHILE_SETTING_UP = frozenset(name for name in PAGES if name.startswith(("mfa_", "account_")))
"""Pages that open before a second step is set up, where the school's settings require one."""


def may_open(user: User, page: str | None) -> bool:
    """Whether this person may use a page. Unknown pages, roles and people may not."""
    return user.is_active and page in PAGES and user.role in PAGES[page]


class RoleGate:
    """Middleware: asks the table before any view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        return _as_a_whole_page(answer) if "HX-Request" in request.headers else answer

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
        if not may_open(request.user, page):
            return render(request, "403.html", status=403)
        if page not in WHILE_SETTING_UP and lacks_second_step(request.user):
            messages.warning(request, "Before you begin: set up a second step for logging in.")
            return redirect("mfa_index")
        return None


def _as_a_whole_page(answer: HttpResponse) -> HttpResponse:
    """htmx swaps parts: the log-in page is loaded afresh, or its passkey script never runs, and a
    page that tells of an error does not end up in the margin of another.
    """
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "body", "innerHTML"
    where = answer.headers.get("Location", "")
    if not where.startswith(reverse("account_login")):
        return answer
    return HttpResponse(status=204, headers={"HX-Redirect": where})


def lacks_second_step(user: User) -> bool:
    """Whether the school requires a second step that this person has not set up."""
    if the_home().settings.sign_in.second_step != "required":
        return False
    steps = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return not Authenticator.objects.filter(user=user, type__in=steps).exists()
