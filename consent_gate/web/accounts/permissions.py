"""Which roles may open which page. A page that is not in ``PAGES`` is closed to everybody.

Only roles that need children's pictures for their work see them. The role groups are in
``db.models.roles``.
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
from consent_gate.db.models.roles import (
    ADMIN_ROLES,
    ALL_ROLES,
    CONFIRMATION_ROLES,
    IMPORT_ROLES,
    OVERSIGHT_ROLES,
    PORTRAIT_ROLES,
    PUPIL_ROLES,
    RECALL_ROLES,
    REVIEW_ROLES,
)
from consent_gate.web.request_context import current_home

PUBLIC_PAGES = frozenset(
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
"""Pages that open without a log-in. ``metrics`` checks its own token."""

TOKEN_PAGES = frozenset({"feed_manifest", "feed_file", "feed_confirm"})
"""Pages for programs. ``publish.feed.views`` checks the token of the channel."""

PAGES: dict[str, frozenset[Role]] = {
    "home": ALL_ROLES,
    "account_logout": ALL_ROLES,
    "account_change_password": ALL_ROLES,
    "account_reauthenticate": ALL_ROLES,
    "mfa_index": ALL_ROLES,
    "mfa_reauthenticate": ALL_ROLES,
    "mfa_activate_totp": ALL_ROLES,
    "mfa_deactivate_totp": ALL_ROLES,
    "mfa_view_recovery_codes": ALL_ROLES,
    "mfa_generate_recovery_codes": ALL_ROLES,
    "mfa_download_recovery_codes": ALL_ROLES,
    "mfa_list_webauthn": ALL_ROLES,
    "mfa_add_webauthn": ALL_ROLES,
    "mfa_reauthenticate_webauthn": ALL_ROLES,
    "mfa_remove_webauthn": ALL_ROLES,
    "mfa_edit_webauthn": ALL_ROLES,
    "queue": REVIEW_ROLES,
    "queue_batch": REVIEW_ROLES,
    "queue_progress": REVIEW_ROLES,
    "queue_classes": REVIEW_ROLES,
    "picture": REVIEW_ROLES,
    "picture_preview": REVIEW_ROLES,
    "picture_thumbnail": REVIEW_ROLES,
    "picture_film": REVIEW_ROLES,
    "picture_strip": REVIEW_ROLES,
    "pupil_portrait": REVIEW_ROLES,
    "picture_face": REVIEW_ROLES,
    "picture_tag": REVIEW_ROLES,
    "picture_add_face": REVIEW_ROLES,
    "picture_cover_name": REVIEW_ROLES,
    "picture_candidates": REVIEW_ROLES,
    "picture_crop": REVIEW_ROLES,
    "picture_cut": REVIEW_ROLES,
    "picture_cut_preview": REVIEW_ROLES,
    "picture_sound": REVIEW_ROLES,
    "picture_enrol": REVIEW_ROLES,
    "picture_describe": REVIEW_ROLES,
    "picture_note": REVIEW_ROLES,
    "picture_decide": REVIEW_ROLES,
    "picture_cover": REVIEW_ROLES,
    "picture_undo": REVIEW_ROLES,
    "tour_done": REVIEW_ROLES,
    "picture_seal": REVIEW_ROLES,
    "sealed_advice": REVIEW_ROLES,
    "pupils": PUPIL_ROLES,
    "pupil": PUPIL_ROLES,
    "pupil_recall": RECALL_ROLES,
    "pupil_export": frozenset({Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR}),
    "pupil_erase": frozenset({Role.DATA_PROTECTION_OFFICER}),
    "pupil_ask_lift": PUPIL_ROLES,
    "pupil_confirm_lift": CONFIRMATION_ROLES,
    "pupil_keep_mark": CONFIRMATION_ROLES,
    "pupil_webcam": IMPORT_ROLES,
    "pupil_webcam_save": IMPORT_ROLES,
    "portraits": PORTRAIT_ROLES,
    "portraits_pdf": PORTRAIT_ROLES,
    "portraits_confirm": PORTRAIT_ROLES,
    "portrait_picture": PORTRAIT_ROLES,
    "portrait_reject": PORTRAIT_ROLES,
    "erasures": OVERSIGHT_ROLES,
    "confirmations": CONFIRMATION_ROLES,
    "imports": IMPORT_ROLES,
    "import_preview": IMPORT_ROLES,
    "import_questions": IMPORT_ROLES,
    "import_apply": IMPORT_ROLES,
    "import_look": IMPORT_ROLES,
    "import_run": IMPORT_ROLES | {Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER},
    "import_undo": IMPORT_ROLES | {Role.DATA_PROTECTION_OFFICER},
    "events": REVIEW_ROLES | IMPORT_ROLES,
    "event": REVIEW_ROLES | IMPORT_ROLES,
    "event_upload": REVIEW_ROLES | IMPORT_ROLES,
    "event_files": REVIEW_ROLES | IMPORT_ROLES,
    "event_roll": REVIEW_ROLES | IMPORT_ROLES,
    "event_recall": REVIEW_ROLES | RECALL_ROLES | IMPORT_ROLES,
    "published": PUPIL_ROLES | REVIEW_ROLES,
    "album": REVIEW_ROLES | IMPORT_ROLES,
    "describe_event": REVIEW_ROLES,
    "take_back": REVIEW_ROLES | RECALL_ROLES | IMPORT_ROLES,
    "copies_gone": PUPIL_ROLES | REVIEW_ROLES,
    "audit": OVERSIGHT_ROLES,
    "audit_verify": OVERSIGHT_ROLES,
    "audit_export": OVERSIGHT_ROLES,
    "sealed": frozenset({Role.SAFEGUARDING_LEAD}),
    "sealed_ask": frozenset({Role.SAFEGUARDING_LEAD}),
    "sealed_take": frozenset({Role.SAFEGUARDING_LEAD}),
    "sealed_confirm": CONFIRMATION_ROLES,
    "sealed_refuse": CONFIRMATION_ROLES,
    "cameras": OVERSIGHT_ROLES | {Role.OFFICE, Role.TECHNICIAN},
    "camera_change": frozenset({Role.OFFICE, Role.SAFEGUARDING_LEAD, Role.ADMINISTRATOR}),
    "calibration": OVERSIGHT_ROLES | {Role.TECHNICIAN},
    "calibration_report": OVERSIGHT_ROLES | {Role.TECHNICIAN},
    "calibration_accept": OVERSIGHT_ROLES,
    "health": ADMIN_ROLES | {Role.OFFICE},
    "rules": ALL_ROLES,
    "settings": ADMIN_ROLES | {Role.DATA_PROTECTION_OFFICER},
    "people": frozenset({Role.ADMINISTRATOR}),
    "person": frozenset({Role.ADMINISTRATOR}),
}
"""URL name to the roles that may use it, for every HTTP method."""


PAGES_WITHOUT_SECOND_FACTOR = frozenset(
    name for name in PAGES if name.startswith(("mfa_", "account_"))
)
"""Pages that open before the user has set up a second step that the settings require."""


def may_open(user: User, page: str | None) -> bool:
    """Return whether a user may open a page; False for unknown pages and inactive users."""
    return user.is_active and page in PAGES and user.role in PAGES[page]


class RoleMiddleware:
    """Middleware that checks ``PAGES`` before any view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return _adapt_for_htmx(response) if "HX-Request" in request.headers else response

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Return None to let the view run, or the response that refuses the request."""
        match = request.resolver_match
        page = match.view_name if match else None
        if page in PUBLIC_PAGES | TOKEN_PAGES:
            return None
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        if not may_open(request.user, page):
            return render(request, "403.html", status=403)
        if page not in PAGES_WITHOUT_SECOND_FACTOR and needs_second_factor(request.user):
            messages.warning(
                request, "Your school requires a second step at log-in. Please set it up first."
            )
            return redirect("mfa_index")
        return None


def _adapt_for_htmx(response: HttpResponse) -> HttpResponse:
    """Make htmx replace the whole page for error pages and for the log-in page.

    Without this htmx would swap an error page into a part of another page, and the passkey script
    of the log-in page would not run.
    """
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "body", "innerHTML"
    location = response.headers.get("Location", "")
    if not location.startswith(reverse("account_login")):
        return response
    return HttpResponse(status=204, headers={"HX-Redirect": location})


def needs_second_factor(user: User) -> bool:
    """Return whether the settings require a second step that this user has not set up."""
    if current_home().settings.sign_in.second_step != "required":
        return False
    steps = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return not Authenticator.objects.filter(user=user, type__in=steps).exists()
