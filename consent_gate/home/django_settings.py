"""Django's settings for one home. A school changes consent-gate.toml, not this module."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consent_gate.home.database import database_options

if TYPE_CHECKING:
    from consent_gate.home.home import Home

log = logging.getLogger(__name__)

_HSTS_SECONDS = 30 * 24 * 3600
"""How long a browser that used https refuses plain http: a month."""

_APPS = [
    "consent_gate.web.apps.GateWeb",  # first: its templates replace allauth's
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # used by allauth's pages
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "procrastinate.contrib.django",
    "consent_gate.db.apps.GateDatabase",
]

_MIDDLEWARE = [
    "consent_gate.web.headers.security_headers_middleware",
    "consent_gate.web.long_numbers.long_numbers_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "consent_gate.web.session_renewal.session_renewal_middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "consent_gate.web.nul_characters.NulCharactersMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "consent_gate.web.accounts.device_cookie.device_cookie_middleware",
    "consent_gate.web.accounts.permissions.RoleMiddleware",
]

_CONTEXT = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "consent_gate.web.pages.navigation.page_context",
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
"""The first hashes new passwords; all of them can check stored ones."""

_ACCOUNTS: dict[str, Any] = {
    "AUTH_USER_MODEL": "gate.User",
    "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
    "PASSWORD_HASHERS": PASSWORD_HASHERS,
    "AUTH_PASSWORD_VALIDATORS": [
        {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
        for name, options in (
            ("UserAttributeSimilarityValidator", {}),
            ("MinimumLengthValidator", {"min_length": 12}),
            ("CommonPasswordValidator", {}),
            ("NumericPasswordValidator", {}),
        )
    ],
    "LOGIN_URL": "account_login",
    "LOGIN_REDIRECT_URL": "home",
    "LOGOUT_REDIRECT_URL": "account_login",
    "ACCOUNT_ADAPTER": "consent_gate.web.accounts.sign_in.AccountAdapter",
    "ACCOUNT_LOGIN_METHODS": {"username"},
    "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*", "password2*"],
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_SESSION_REMEMBER": False,  # shared PCs: closing the browser logs out
    "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
    # web.accounts.attempt_limits limits these; a passkey cannot be guessed
    "ACCOUNT_RATE_LIMITS": {"login": None, "login_failed": None},
    "MFA_RATE_LIMITS": {"webauthn_login": None},
    "MFA_FORMS": {
        "authenticate": "consent_gate.web.accounts.sign_in.SecondStepForm",
        "reauthenticate": "consent_gate.web.accounts.sign_in.SecondStepAgainForm",
    },
    "MFA_ADAPTER": "consent_gate.web.accounts.sign_in.SecondStepAdapter",
    "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    "MFA_TOTP_ISSUER": "consent-gate",
    "SOCIALACCOUNT_ADAPTER": "consent_gate.web.accounts.single_sign_on.SocialAccountAdapter",
    "SOCIALACCOUNT_STORE_TOKENS": False,
    "SOCIALACCOUNT_REQUESTS_TIMEOUT": 10,
}
"""django-allauth: accounts are for staff only."""


def options(home: Home) -> dict[str, Any]:
    """Return the keyword arguments for ``django.conf.settings.configure``."""
    return {
        "CONSENT_GATE_HOME": home,
        "SECRET_KEY": home.keys.web.hex(),
        "DEBUG": False,
        "ROOT_URLCONF": "consent_gate.web.urls",
        "INSTALLED_APPS": _APPS,
        "MIDDLEWARE": _MIDDLEWARE,
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "DIRS": [Path(__file__).parent / "templates"],  # reports of several packages
                "OPTIONS": {"context_processors": _CONTEXT},
            }
        ],
        "DATABASES": {"default": database_options(home)},
        "MIGRATION_MODULES": _excluded_migrations(home),
        # ingest.runtime.worker_session registers its tasks itself
        "PROCRASTINATE_AUTODISCOVER_MODULE_NAME": None,
        **_ACCOUNTS,
        "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": providers(home)}},
        **_browser_settings(home),
        "STATIC_URL": "static/",
        "WHITENOISE_USE_FINDERS": True,
        "LANGUAGE_CODE": "en-gb",
        "TIME_ZONE": home.settings.school.timezone,
        "USE_TZ": True,
        "USE_I18N": True,
        "LOGGING_CONFIG": None,
    }


def _excluded_migrations(home: Home) -> dict[str, str | None]:
    """procrastinate's tables exist on PostgreSQL only."""
    return {} if home.settings.database.engine == "postgresql" else {"procrastinate": None}


def _browser_settings(home: Home) -> dict[str, Any]:
    """Settings of sessions, cookies and https."""
    web = home.settings.web
    return {
        "ALLOWED_HOSTS": list(web.allowed_hosts),
        "SESSION_COOKIE_AGE": web.session_minutes * 60,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": web.https,
        "CSRF_COOKIE_SECURE": web.https,
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "https" if web.https else "http",
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not web.https,  # allowed on localhost only
        "SECURE_SSL_REDIRECT": web.https,
        "SECURE_REDIRECT_EXEMPT": [r"^healthz$"],  # requested on this machine, without https
        "SECURE_HSTS_SECONDS": _HSTS_SECONDS if web.https else 0,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": web.https,
        "SILENCED_SYSTEM_CHECKS": ["security.W021"],  # preload lists are for public sites
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
    }


def providers(home: Home) -> list[dict[str, Any]]:
    """Return the sign-in providers that the school set up, in the form of django-allauth.

    A provider whose secret file cannot be read is left out, with a warning in the log.
    """
    apps = []
    for name, provider in home.settings.sign_in.providers().items():
        try:
            secret = (home.root / provider.secret_file).read_text("utf-8").strip()
        except OSError as error:
            log.warning("Sign-in with %s is off: its secret cannot be read (%s).", name, error)
            continue
        apps.append(
            {
                "provider_id": name,
                "name": provider.title,
                "client_id": provider.client_id,
                "secret": secret,
                "settings": {
                    "server_url": provider.issuer,
                    "fetch_userinfo": False,  # only the signed ID token is trusted
                    "oauth_pkce_enabled": True,
                },
            }
        )
    return apps
