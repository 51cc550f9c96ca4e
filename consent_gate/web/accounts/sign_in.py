"""Log-in with password or second factor; every success and failure is audited.

``attempt_limits`` limits wrong passwords and codes. django-allauth's own limits are off: they lock
an account for everybody, and are kept in a cache that a flood of requests empties.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.http import HttpRequest

from consent_gate.db import audit_log
from consent_gate.db.models import User
from consent_gate.web.accounts import attempt_limits
from consent_gate.web.accounts.device_cookie import remember_device
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

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Check a password. The log-in name may be written in any case.

        Raises:
            ValidationError: There were too many wrong attempts.
        """
        typed = str(credentials.get("username") or "")
        attempt = attempt_limits.reserve(request, typed, attempt_limits.PASSWORD)
        if attempt is None:
            raise self.validation_error("too_many_login_attempts")
        known = attempt_limits.find_user(typed)
        if known is not None:
            credentials["username"] = known.username
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            attempt.delete()
        return user


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """django-allauth adapter for the second step."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "The code is wrong. Please try again.",
    }


class _LimitedCode:
    """A form of django-allauth with a code, whose wrong codes are limited by ``attempt_limits``."""

    def clean_code(self) -> str:
        """Check the code. Raises ``ValidationError`` if it is wrong or there were too many."""
        username = self.user.username  # type: ignore[attr-defined]
        attempt = attempt_limits.reserve(context.request, username, attempt_limits.CODE)
        if attempt is None:
            raise AccountAdapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]
        attempt.delete()
        return code


class SecondStepForm(_LimitedCode, AuthenticateForm):  # type: ignore[misc]
    """The code of the second step at log-in."""


class SecondStepAgainForm(_LimitedCode, ReauthenticateForm):  # type: ignore[misc]
    """The code that a logged-in person gives once more before a change of the account."""


def connect_signals() -> None:
    """Connect the log-in signals to the audit trail. Called once, when Django starts."""
    user_logged_in.connect(_logged_in, dispatch_uid="consent_gate.logged_in")
    password_changed.connect(_password_changed, dispatch_uid="consent_gate.password_changed")
    user_login_failed.connect(_login_failed, dispatch_uid="consent_gate.login_failed")


def _logged_in(*, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    remember_device(request, user)
    record_sign_in(
        "user.logged_in", user.username, {"with": _methods_used(request, user)}, user.username
    )


def _password_changed(*, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Record that a user changed their own password; ``staff`` records changes by others."""
    remember_device(request, user)
    record_sign_in("user.password", user.username, {"role": user.role}, user.username)


def _methods_used(request: HttpRequest, user: User) -> str:
    """Return the log-in methods that django-allauth recorded, such as ``password, totp``."""
    steps = get_authentication_records(request, user)
    names = (s.get("provider") or s.get("type") or s["method"] for s in steps)
    return ", ".join(dict.fromkeys(names))


def _login_failed(*, credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Record a failed log-in. Unknown names are left out: some people type a password there."""
    typed = str(credentials.get("username") or "")
    known = attempt_limits.find_user(typed)
    record_sign_in("user.login_failed", known.username if known else "unknown")


def record_sign_in(
    action: str,
    name: str,
    detail: dict[str, str] | None = None,
    actor: str = audit_log.SYSTEM_ACTOR,
) -> None:
    """Add an audit entry about a log-in as ``name``."""
    with transaction.atomic():
        audit_log.record(current_home(), action, f"user:{name}", detail, actor)
