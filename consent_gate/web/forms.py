"""Django forms and form parsers of the staff pages."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import QueryDict

from consent_gate.db.models import User
from consent_gate.film.spans import milliseconds
from consent_gate.model import Box, Tag, TagKind

MAX_DIGITS = 18
"""Digits of the largest number that a form may give; a database stores no larger ones."""


class NewAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """Fields of a new account: names, log-in name, e-mail address and a password typed twice."""

    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Three unrelated words make a good password.",
    )
    again = forms.CharField(
        label="Repeat the password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "username", "email"]
        labels = {
            "first_name": "First name",
            "last_name": "Last name",
            "username": "Log-in name",
            "email": "School e-mail address",
        }
        help_texts = {"username": "Each person needs their own log-in name. Never share it."}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        password = values.get("password", "")
        if password != values.get("again"):
            self.add_error("again", "The two passwords are not the same.")
        if not password and not self.fields["password"].required:
            return values
        try:
            validate_password(password, self.instance)
        except ValidationError as error:
            self.add_error("password", error)
        return values


class SetupForm(NewAccountForm):
    """The account of the first administrator."""

    code = forms.CharField(
        label="Set-up code",
        help_text="You find it in the window where consent-gate was started.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ["code", "first_name", "last_name", "username", "email", "password", "again"]


def parse_tag(post: QueryDict) -> Tag | None:
    """Read a tag from a form.

    The field ``say`` is a ``TagKind`` value, ``pupil:<admission number>``, or ``nothing``.

    Returns:
        The tag; None when the existing tag is to be removed.

    Raises:
        ValueError: ``say`` names an unknown kind, or a pupil for another kind than ``pupil``.
    """
    kind, _, pupil = post.get("say", "").partition(":")
    if kind == "nothing":
        return None
    basis = post.get("basis", "").strip() if kind == TagKind.ADULT_WITH_AGREEMENT else ""
    if pupil and kind != TagKind.PUPIL:
        raise ValueError(kind)
    return Tag(TagKind(kind), pupil=pupil or None, basis=basis)


PER_CENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,20})?")
"""A number of a form. Python's ``float`` also reads "nan", "inf" and "1_0"."""

BOX_UNITS = 10_000
"""Browsers send a drawn box in 1/10 000 of the picture's width and height, as pages scale it."""


def parse_count(text: str) -> int | None:
    """Read a number without a sign from a form; None for other text and for absurd lengths."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else None


TIME = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,5}(?:\.[0-9]{1,6})?)")
"""A time in a film: seconds, or minutes and seconds."""


def parse_time(text: str) -> int | None:
    """Read a time such as ``83.5`` or ``1:23.5`` as milliseconds; None for other text."""
    found = TIME.fullmatch(text.strip())
    if found is None:
        return None
    return milliseconds(60 * int(found[1] or 0) + float(found[2]))


def parse_box(post: QueryDict, width: int, height: int) -> Box:
    """Read a drawn box from a form.

    Args:
        post: Form with ``x``, ``y``, ``w`` and ``h`` in units of 1/``BOX_UNITS`` of a side.
        width: Width of the original in pixels.
        height: Height of the original in pixels.

    Returns:
        The box in pixels of the original; an empty box for invalid input.
    """
    values = [post.get(name, "") for name in ("x", "y", "w", "h")]
    units = [min(parse_count(value) or 0, BOX_UNITS) for value in values]
    sides = (width, height, width, height)
    left, top, box_width, box_height = (
        unit * side // BOX_UNITS for unit, side in zip(units, sides, strict=True)
    )
    return Box(left, top, min(box_width, width - left), min(box_height, height - top))


def parse_crop(post: QueryDict, width: int, height: int) -> Box | None:
    """Read a crop from a form.

    Args:
        post: Form with ``left``, ``top``, ``right`` and ``bottom``: per cent cut off each side.
        width: Width of the original in pixels.
        height: Height of the original in pixels.

    Returns:
        The part that remains, in pixels of the original; None when nothing is cut off; an empty
        box for invalid input.
    """
    values = [post.get(name, "") for name in ("left", "top", "right", "bottom")]
    if not all(PER_CENT.fullmatch(value) for value in values if value):
        return Box(0, 0, 0, 0)
    left, top, right, bottom = (float(value or 0) / 100 for value in values)
    if left == top == right == bottom == 0:
        return None
    if not (0 <= left <= 1 and 0 <= top <= 1 and 0 <= right <= 1 and 0 <= bottom <= 1):
        return Box(0, 0, 0, 0)
    x, y = round(left * width), round(top * height)
    return Box(x, y, width - round(right * width) - x, height - round(bottom * height) - y)


class ColleagueForm(NewAccountForm):
    """The account of another member of staff, with a role.

    Args:
        providers: Titles of the single sign-on providers. With any, the password is optional.
    """

    def __init__(self, *args: Any, providers: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if providers:
            self.fields["password"].required = self.fields["again"].required = False
            self.fields[
                "password"
            ].help_text += (
                f" Leave it empty for somebody who signs in with {' or '.join(providers)}."
            )

    class Meta(NewAccountForm.Meta):
        fields = ["first_name", "last_name", "username", "email", "role"]
        labels = {**NewAccountForm.Meta.labels, "role": "Role"}
