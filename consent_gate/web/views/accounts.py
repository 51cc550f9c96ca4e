"""Logging in, and making the first administrator."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from allauth.socialaccount.providers.openid_connect import views as openid
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from consent_gate.db.models import User
from consent_gate.web.accounts.first_run import WrongSetupCode, make_first_administrator
from consent_gate.web.forms import SetupForm
from consent_gate.web.pages.navigation import nav_items
from consent_gate.web.request_context import current_home, current_user


class LogIn(LoginView):  # type: ignore[misc]
    """The log-in page; before the first account there is only the set-up page."""

    template_name = "gate/login.html"

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not User.objects.exists():
            return redirect("setup")
        answer: HttpResponse = super().get(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "providers": current_home().settings.sign_in.providers()}


@login_not_required
@require_POST
def sign_in_with(request: HttpRequest, provider_id: str) -> HttpResponse:
    """On to Google or Microsoft.

    By way of a page of ours: the content security policy lets forms lead nowhere else, and
    redirections after a form count as the form's.
    """
    try:
        onward = openid.login(request, provider_id)
    except RequestException:
        title = current_home().settings.sign_in.providers()[provider_id].title
        messages.error(request, f"{title} cannot be reached just now. Please use your password.")
        return redirect("account_login")
    return render(request, "gate/onward.html", {"address": onward.headers["Location"]})


@login_not_required
@require_safe
def signed_in_with(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from there; ``single_sign_on`` says who gets in."""
    answer: HttpResponse = openid.callback(request, provider_id)
    return answer


def home(request: HttpRequest) -> HttpResponse:
    """To the first page that this person may open."""
    ways = nav_items(current_user(request))
    return redirect(ways[0].page) if ways else render(request, "gate/nothing.html")


@login_not_required
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first administrator with the one-time code."""
    if User.objects.exists():
        return redirect("account_login")
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user: User = form.save(commit=False)
        try:
            made = make_first_administrator(
                current_home(), form.cleaned_data["code"], user, form.cleaned_data["password"]
            )
        except WrongSetupCode as error:
            form.add_error("code", str(error))
        else:
            login(request, made, backend="allauth.account.auth_backends.AuthenticationBackend")
            return redirect("home")
    return render(request, "gate/setup.html", {"form": form})
