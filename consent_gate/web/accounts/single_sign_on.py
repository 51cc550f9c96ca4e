"""Single sign-on with the school's Google or Microsoft directory.

An administrator must have added the person, with the same e-mail address, on the page People. The
address must be verified by the school's own directory: Google's ``hd`` claim or Microsoft's
``tid``. The first sign-in links the account to the provider's permanent id of the person. If the
address is later given to somebody else, that person cannot use the account. The second step is
required as after a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from consent_gate.db.models import User
from consent_gate.errors import GateError
from consent_gate.home.settings_staff import Google, Microsoft, SignIn
from consent_gate.web.accounts.sign_in import record_sign_in
from consent_gate.web.request_context import current_home

Claims = Mapping[str, Any]
"""The provider's signed ID token (OpenID Connect Core 1.0, "ID Token")."""


class SignInRefused(GateError):
    """The provider confirmed the person, but this person may not use the gate."""

    next_step = "Ask your administrator, or log in with your password."

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
        """Identifier of the cause, for the audit trail."""


def verified_address(claims: Claims, provider: Google | Microsoft, rules: SignIn) -> str:
    """Return the e-mail address, in lower case, that the school's own directory verified.

    Raises:
        SignInRefused: The claims are of another school, of a guest, or not verified.
    """
    if isinstance(provider, Google):
        address = _from_google(claims, rules)
    else:
        address = _from_microsoft(claims, provider)
    name, _, domain = address.lower().rpartition("@")
    if not name or domain not in rules.domains:
        raise SignInRefused("That account does not belong to this school.", "wrong_domain")
    return f"{name}@{domain}"


def _from_google(claims: Claims, rules: SignIn) -> str:
    """Check ``hd`` and ``email_verified``.

    Source: developers.google.com/identity/openid-connect.
    """
    if str(claims.get("hd", "")).lower() not in rules.domains:
        # A private Google account may have any address, even one of the school's domain.
        raise SignInRefused("That account does not belong to this school.", "wrong_domain")
    if claims.get("email_verified") is not True:
        raise SignInRefused(
            "Google has not verified the e-mail address of that account.", "unverified_address"
        )
    return str(claims.get("email", ""))


def _from_microsoft(claims: Claims, provider: Microsoft) -> str:
    """Return the sign-in name, whose domain the directory has proved to own.

    ``email`` is not used because people can set it themselves. Guests of the directory have
    ``idp`` or ``acct`` 1.
    Source: learn.microsoft.com/entra/identity-platform/id-token-claims-reference.
    """
    if claims.get("tid") != provider.tenant:
        raise SignInRefused("That account does not belong to this school.", "wrong_tenant")
    if claims.get("idp", claims.get("iss")) != claims.get("iss") or claims.get("acct", 0) != 0:
        raise SignInRefused(
            "Guest accounts of the school's directory cannot sign in here.", "guest"
        )
    return str(claims.get("preferred_username", ""))


def find_person(address: str) -> User:
    """Return the one active account with this e-mail address.

    Raises:
        SignInRefused: No active account, or more than one account, has the address.
    """
    found = list(User.objects.filter(email__iexact=address)[:2])
    if len(found) > 1:
        raise SignInRefused("More than one account here has that e-mail address.", "shared_address")
    if not found or not found[0].is_active:
        raise SignInRefused("No account here has that e-mail address.", "unknown_person")
    return found[0]


def check_linked_account(person: User, account: SocialAccount) -> None:
    """Check that the address and the provider's permanent id belong to the same account.

    Raises:
        SignInRefused: The id is linked to another account, or the account to another id.
    """
    linked = SocialAccount.objects.filter(provider=account.provider)
    other_person = linked.filter(uid=account.uid).exclude(user=person)
    other_id = linked.filter(user=person).exclude(uid=account.uid)
    if other_person.exists() or other_id.exists():
        raise SignInRefused(
            "That e-mail address belonged to a different account before.", "other_account"
        )


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """django-allauth adapter for every sign-in with Google or Microsoft."""

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        return False

    def send_notification_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """No-op: changes of an account are in the audit trail instead."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Admit the person that the claims identify, and link the account at the first sign-in."""
        account = sociallogin.account
        try:
            person = _admit(sociallogin)
        except SignInRefused as refusal:
            record_sign_in(
                "user.sign_in_refused", "unknown", {"with": account.provider, "why": refusal.code}
            )
            _refuse_sign_in(request, str(refusal))
        if account.pk is None:
            sociallogin.connect(request, person)
            record_sign_in(
                "user.tied", person.username, {"with": account.provider}, person.username
            )

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, *_args: Any, **_kwargs: Any
    ) -> None:
        """Handle a sign-in that was cancelled, expired, or failed at the provider."""
        _refuse_sign_in(request, f"Signing in with {provider.name} did not work. Please try again.")


def _admit(sociallogin: SocialLogin) -> User:
    """Return the account for a sign-in.

    Raises:
        SignInRefused: The person may not use the gate.
    """
    if sociallogin.state.get("process") != AuthProcess.LOGIN:
        raise SignInRefused("An account can only be linked by signing in.", "not_a_sign_in")
    rules = current_home().settings.sign_in
    provider = rules.providers()[sociallogin.account.provider]
    claims = sociallogin.account.extra_data.get("id_token", {})
    person = find_person(verified_address(claims, provider, rules))
    check_linked_account(person, sociallogin.account)
    return person


def _refuse_sign_in(request: HttpRequest, message: str) -> NoReturn:
    """Go back to the log-in page and show ``message`` there."""
    messages.error(request, message)
    raise ImmediateHttpResponse(redirect("account_login"))
