"""Several schools in one installation: a small folder that names their homes, and nothing else.

Each school keeps its own home, keys, staff, folders, thresholds, schema and database role. Nothing
here reaches into two at a time: a program opens one home, and counts are asked for without keys,
so that no picture and no template could be opened on the way (docs/adr/0010).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from consent_gate.bootstrap import bind_database
from consent_gate.errors import GateError
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.home.keys import KEY_NAMES, NO_KEYS
from consent_gate.home.settings import FILE_NAME, load_settings

TRUST_FILE = "trust.toml"

NEW_FILE = """\
# Schools of this trust, each with its home: a folder made by 'consent-gate init'.
# 'consent-gate trust add' writes here, after looking whether two schools share anything.

[schools]
"""


class TrustInvalid(GateError):
    """The folder of a trust cannot be used, or two of its schools share something."""

    exit_code = 45
    next_step = "Correct trust.toml, or the settings of the schools that it names."


@dataclass(frozen=True)
class Trust:
    """The schools of one installation."""

    folder: Path
    schools: Mapping[str, Path]
    """Short name of each school to its home, absolute."""


def load_trust(folder: Path) -> Trust:
    """Read trust.toml. Raises TrustInvalid."""
    file = folder / TRUST_FILE
    try:
        written = tomllib.loads(file.read_text("utf-8")).get("schools", {})
    except OSError as error:
        raise TrustInvalid(f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrustInvalid(f"{file} is not valid TOML: {error}.") from error
    if not isinstance(written, dict) or not all(isinstance(h, str) for h in written.values()):
        raise TrustInvalid(f'{file}: write each school as name = "/folder/of/its/home".')
    return Trust(folder, {name: (folder / home).resolve() for name, home in written.items()})


def add_school(folder: Path, name: str, home: Path) -> Trust:
    """Enter a school that shares nothing with those entered before. Raises TrustInvalid."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        raise TrustInvalid(f"'{name}': use small letters, digits and hyphens.")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / TRUST_FILE
    if not file.exists():
        replace_with(file, NEW_FILE.encode())
    trust = load_trust(folder)
    if name in trust.schools:
        raise TrustInvalid(f"There is a school '{name}' already.")
    with_it = Trust(folder, {**trust.schools, name: home.resolve()})
    refuse_crossings(with_it)
    line = f"{name} = {json.dumps(str(home.resolve()))}\n"
    replace_with(file, (file.read_text("utf-8").rstrip() + "\n" + line).encode())
    return load_trust(folder)


def refuse_crossings(trust: Trust) -> None:
    """Raises TrustInvalid where two schools share a folder, rows, a database role or a key."""
    claims = {name: list(_claims(load_without_keys(home))) for name, home in trust.schools.items()}
    for (one, ours), (other, theirs) in combinations(claims.items(), 2):
        for what in {claim.what for claim in ours for its in theirs if claim.meets(its)}:
            raise TrustInvalid(f"{one} and {other} share {what}.")


def load_without_keys(root: Path) -> Home:
    """A school's home for counting: settings and rows, but nothing encrypted can be opened.

    Raises SettingsInvalid or TrustInvalid.
    """
    if not (root / FILE_NAME).is_file():
        raise TrustInvalid(f"{root} is not a consent-gate home.")
    return Home(root, load_settings(root / FILE_NAME), NO_KEYS)


def open_summary(root: Path) -> Home:
    """Connect this process to a school's rows, for counting. Raises SettingsInvalid,
    TrustInvalid or DatabaseUnusable."""
    home = load_without_keys(root)
    bind_database(home)
    return home


@dataclass(frozen=True)
class _Claim:
    """Something that belongs to one school alone."""

    what: str
    value: str | Path

    def meets(self, other: _Claim) -> bool:
        """The same; or, of folders, one inside the other."""
        if not isinstance(self.value, Path) or not isinstance(other.value, Path):
            return (self.what, self.value) == (other.what, other.value)
        return self.value.is_relative_to(other.value) or other.value.is_relative_to(self.value)


def _claims(home: Home) -> Iterator[_Claim]:
    approved = map(home.approved, home.settings.channels)
    for folder in (home.root, home.inbox, home.sims, home.vault, *approved):
        yield _Claim("a folder", folder.resolve())
    rows = home.settings.database
    if rows.engine == "postgresql":
        yield _Claim("a schema", f"{rows.host}:{rows.port}/{rows.name}/{rows.schema_name}")
        yield _Claim("a database role", f"{rows.host}:{rows.port}/{rows.user}")
    for name in KEY_NAMES:
        try:
            key = (home.secrets / f"{name}.key").read_bytes()
        except OSError:
            continue  # kept from this account, as it should be from the trust's
        yield _Claim(f"the key '{name}'", hashlib.sha256(key.strip()).hexdigest())
