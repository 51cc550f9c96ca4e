"""The sections of the settings about staff: sign-in, and contacts for a sealed picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from consent_gate.home.settings_section import Section


def _is_private(address: str) -> str:
    """Allow https, and plain http only to this machine: sign-in tokens must stay secret."""
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", address):
        raise ValueError("must begin with https://")
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_is_private)]
"""URL of an OpenID provider, without a slash at the end."""


class Google(Section):
    """Sign-in with the school's Google Workspace."""

    client_id: str = ""
    secret_file: Path = Path("secrets/google-client-secret")
    issuer: Address = "https://accounts.google.com"
    """OpenID Connect issuer; the URL of its discovery document begins with it."""
    title: ClassVar[str] = "Google"


class Microsoft(Section):
    """Sign-in with the school's Microsoft 365."""

    client_id: str = ""
    tenant: str = ""
    """Directory (tenant) id: only accounts of this directory can sign in."""
    secret_file: Path = Path("secrets/microsoft-client-secret")
    authority: Address = "https://login.microsoftonline.com"
    """National clouds have another address."""
    title: ClassVar[str] = "Microsoft"

    @property
    def issuer(self) -> str:
        """OpenID Connect issuer of this directory."""
        return f"{self.authority}/{self.tenant}/v2.0"

    @field_validator("tenant")
    @classmethod
    def _tenant_is_one_directory(cls, tenant: str) -> str:
        # "common" and "organizations" would let accounts of every directory in.
        if tenant and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tenant):
            raise ValueError("write the directory (tenant) id, 8-4-4-4-12 small hexadecimal digits")
        return tenant


class SignIn(Section):
    """How staff prove who they are. The page People says who may log in."""

    second_step: Literal["offered", "required"] = "offered"
    """``required``: staff must set up an app or a passkey before they can open any page."""
    domains: tuple[str, ...] = ()
    """Domains of the school's e-mail addresses; needed for sign-in with Google or Microsoft."""
    google: Google = Google()
    microsoft: Microsoft = Microsoft()

    @field_validator("domains")
    @classmethod
    def _normalise_domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.strip().lower().removeprefix("@") for domain in domains)

    @model_validator(mode="after")
    def _check_complete(self) -> SignIn:
        if self.microsoft.client_id and not self.microsoft.tenant:
            raise ValueError("microsoft: 'tenant' is needed beside 'client_id'")
        if (self.google.client_id or self.microsoft.client_id) and not self.domains:
            raise ValueError("'domains' is needed: the e-mail domains that may sign in")
        return self

    def providers(self) -> dict[str, Google | Microsoft]:
        """Return the providers that the school set up, by their name in URLs."""
        providers: dict[str, Google | Microsoft] = {
            "google": self.google,
            "microsoft": self.microsoft,
        }
        return {name: provider for name, provider in providers.items() if provider.client_id}


class Contact(Section):
    """A person or office to call."""

    who: str
    call: str
    """Telephone number, or where to find the person."""
    when: str = ""


_POLICE = (
    Contact(who="Police", call="999", when="if a child is in danger now"),
    Contact(who="Police", call="101", when="otherwise"),
)
"""For England and Wales. A school adds its safeguarding lead and designated officer (LADO)."""


class Safeguarding(Section):
    """Contacts and guidance that staff see when a picture is sealed.

    Source of the guidance: UKCIS, "Sharing nudes and semi-nudes" (2024), and "Keeping children safe
    in education", part 1.
    """

    contacts: tuple[Contact, ...] = _POLICE
    guidance: tuple[str, ...] = ()
    """Additional guidance by the school."""
    mail_to: tuple[str, ...] = ()
    """Addresses that get a message at once, in addition to those of the safeguarding leads."""
    export_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How long a request for an export is valid, and then how long the export file is kept."""
