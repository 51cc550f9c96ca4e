"""Who gets in: staff whom an administrator entered. Log-ins, good and bad, go into the trail."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.http import HttpRequest

from consent_gate.db import audit_log
from consent_gate.db.models import User
from consent_gate.web.request_context import current_home


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves, and nothing is sent by mail."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": (
            "That name and password do not go together. Please try again."
        ),
        "too_many_login_attempts": "Too many wrong attempts. Please wait a quarter of an hour.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def send_notification_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """Changes of an account are in the audit trail instead."""


def connect_signals() -> None:
    """Listen from now on; called once when the pages are set up."""
    user_logged_in.connect(_logged_in, dispatch_uid="consent_gate.logged_in")
    password_changed.connect(_password_changed, dispatch_uid="consent_gate.password_changed")
    user_login_failed.connect(_login_failed, dispatch_uid="consent_gate.login_failed")


def _logged_in(*, request: HttpRequest, user: User, **_more: Any) -> None:
    record_sign_in("user.logged_in", user.username, {"with": _how(request, user)}, user.username)


def _password_changed(*, user: User, **_more: Any) -> None:
    """One's own; an administrator's change of another's is recorded by ``staff.change``."""
    record_sign_in("user.password", user.username, {"role": user.role}, user.username)


def _how(request: HttpRequest, user: User) -> str:
    """``password``, ``google``, ``password, totp`` … as django-allauth noted them."""
    steps = get_authentication_records(request, user)
    names = (s.get("provider") or s.get("type") or s["method"] for s in steps)
    return ", ".join(dict.fromkeys(names))


def _login_failed(*, credentials: dict[str, Any], **_more: Any) -> None:
    """Only names that exist are written down: people type passwords into the wrong box."""
    typed = str(credentials.get("username") or "")
    known = User.objects.filter(username=typed).exists()
    record_sign_in("user.login_failed", typed if known else "unknown")


def record_sign_in(
    action: str,
    name: str,
    detail: dict[str, str] | None = None,
    actor: str = audit_log.SYSTEM_ACTOR,
) -> None:
    """Write down what came of somebody who tried to sign in as ``name``."""
    with transaction.atomic():
        audit_log.record(current_home(), action, f"user:{name}", detail, actor)
