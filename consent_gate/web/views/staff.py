"""Views of the page People, which lists and changes staff accounts."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from consent_gate.db import audit_log
from consent_gate.db.models import Role, User
from consent_gate.web.accounts import staff
from consent_gate.web.forms import ColleagueForm
from consent_gate.web.pages.navigation import pages_by_role
from consent_gate.web.request_context import current_home, current_user


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """List all accounts, and add one."""
    providers = current_home().settings.sign_in.providers().values()
    form = ColleagueForm(request.POST or None, providers=tuple(p.title for p in providers))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            user: User = form.save(commit=False)
            user.set_password(form.cleaned_data["password"] or None)
            user.save()
            details, actor = {"role": user.role}, current_user(request).username
            audit_log.record(current_home(), "user.added", f"user:{user.username}", details, actor)
        messages.success(request, f"{user.get_full_name() or user.username} can log in now.")
        return redirect("people")
    users = User.objects.order_by("username").prefetch_related(
        "socialaccount_set", "authenticator_set"
    )
    context = {
        "form": form,
        "people": users,
        "roles": Role.choices,
        "role_pages": pages_by_role(),
    }
    return render(request, "gate/people.html", context)


@require_POST
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Change one property of a colleague's account."""
    user = get_object_or_404(User, pk=user_id)
    if user == current_user(request):
        messages.error(
            request, "You cannot change your own account here. Please ask another administrator."
        )
        return redirect("people")
    display_name = user.get_full_name() or user.username
    change = request.POST.get("change", "")
    try:
        staff.change_account(
            current_home(),
            user,
            change,
            request.POST.get(change, ""),
            current_user(request).username,
        )
        messages.success(request, f"The account of {display_name} is changed.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except ValueError:
        messages.error(
            request, "Nothing was changed. Please choose one of the changes on this page."
        )
    return redirect("people")
