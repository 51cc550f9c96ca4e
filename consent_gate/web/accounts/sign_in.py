"""Log-in with password or second factor; every success and failure is audited."""

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
    """django-allauth adapter: no self sign-up and no e-mail from allauth."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": (
            "The log-in name or the password is wrong. Please try again."
        ),
        "too_many_login_attempts": "Too many wrong attempts. Please try again in 15 minutes.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def send_notification_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """No-op: changes of an account are in the audit trail instead."""


def connect_signals() -> None:
    """Connect the log-in signals to the audit trail. Called once, when Django starts."""
    user_logged_in.connect(_logged_in, dispatch_uid="consent_gate.logged_in")
    password_changed.connect(_password_changed, dispatch_uid="consent_gate.password_changed")
    user_login_failed.connect(_login_failed, dispatch_uid="consent_gate.login_failed")


def _logged_in(*, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    record_sign_in(
        "user.logged_in", user.username, {"with": _methods_used(request, user)}, user.username
    )


def _password_changed(*, user: User, **_kwargs: Any) -> None:
    """Record that a user changed their own password; ``staff`` records changes by others."""
    record_sign_in("user.password", user.username, {"role": user.role}, user.username)


def _methods_used(request: HttpRequest, user: User) -> str:
    """Return the log-in methods that django-allauth recorded, such as ``password, totp``."""
    steps = get_authentication_records(request, user)
    names = (s.get("provider") or s.get("type") or s["method"] for s in steps)
    return ", ".join(dict.fromkeys(names))


def _login_failed(*, credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Record a failed log-in. Unknown names are left out: some people type a password there."""
    typed = str(credentials.get("username") or "")
    known = User.objects.filter(username=typed).exists()
    record_sign_in("user.login_failed", typed if known else "unknown")


def record_sign_in(
    action: str,
    name: str,
    detail: dict[str, str] | None = None,
    actor: str = audit_log.SYSTEM_ACTOR,
) -> None:
    """Add an audit entry about a log-in as ``name``."""
    with transaction.atomic():
        audit_log.record(current_home(), action, f"user:{name}", detail, actor)
