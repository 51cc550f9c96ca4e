"""Several schools in one installation: a folder with one file that lists their homes.

Each school keeps its own home, keys, staff, folders, thresholds, schema and database role. A
process opens only one home at a time. Counts over all schools are made without keys, so that no
picture and no template can be decrypted meanwhile (docs/adr/0010).
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
# 'consent-gate trust add' writes here, after checking that no two schools share anything.

[schools]
"""


class TrustInvalid(GateError):
    """The file of a trust cannot be used, or two of its schools share something."""

    exit_code = 45
    next_step = "Correct trust.toml, or the settings of the schools that it names."


@dataclass(frozen=True)
class Trust:
    """The schools of one installation."""

    folder: Path
    schools: Mapping[str, Path]
    """Short name of each school to its home, absolute."""


def load_trust(folder: Path) -> Trust:
    """Read ``trust.toml`` in a folder.

    Raises:
        TrustInvalid: The file cannot be read or is malformed.
    """
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
    """Add a school to ``trust.toml``, which is created if it is missing.

    Raises:
        TrustInvalid: The name is unusable or taken, or the school shares something with another.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        raise TrustInvalid(f"'{name}': use small letters, digits and hyphens.")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / TRUST_FILE
    if not file.exists():
        replace_with(file, NEW_FILE.encode())
    trust = load_trust(folder)
    if name in trust.schools:
        raise TrustInvalid(f"A school with the name '{name}' exists already.")
    extended = Trust(folder, {**trust.schools, name: home.resolve()})
    check_nothing_shared(extended)
    line = f"{name} = {json.dumps(str(home.resolve()))}\n"
    replace_with(file, (file.read_text("utf-8").rstrip() + "\n" + line).encode())
    return load_trust(folder)


def check_nothing_shared(trust: Trust) -> None:
    """Check that every school has its own folders, schema, database role and keys.

    Raises:
        TrustInvalid: Two schools share one of them, or a school's settings cannot be read.
    """
    claims = {name: list(_claims(load_without_keys(home))) for name, home in trust.schools.items()}
    for (first, ours), (second, theirs) in combinations(claims.items(), 2):
        for kind in {claim.kind for claim in ours for other in theirs if claim.overlaps(other)}:
            raise TrustInvalid(f"{first} and {second} share {kind}.")


def load_without_keys(root: Path) -> Home:
    """A school's home without its keys, for counting: nothing encrypted can be decrypted.

    Raises:
        SettingsInvalid: The settings file is invalid.
        TrustInvalid: The folder is not a home.
    """
    if not (root / FILE_NAME).is_file():
        raise TrustInvalid(f"{root} is not a consent-gate home.")
    return Home(root, load_settings(root / FILE_NAME), NO_KEYS)


def open_summary(root: Path) -> Home:
    """Connect this process to a school's database without its keys, for counting.

    Raises:
        SettingsInvalid: The settings file is invalid.
        TrustInvalid: The folder is not a home.
        DatabaseUnusable: The database cannot be reached.
    """
    home = load_without_keys(root)
    bind_database(home)
    return home


@dataclass(frozen=True)
class _Claim:
    """Something that must belong to one school alone."""

    kind: str
    value: str | Path

    def overlaps(self, other: _Claim) -> bool:
        """Whether both are the same, or one is a folder inside the other."""
        if not isinstance(self.value, Path) or not isinstance(other.value, Path):
            return (self.kind, self.value) == (other.kind, other.value)
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
            continue  # this account cannot read the key, which is right for the trust's account
        yield _Claim(f"the key '{name}'", hashlib.sha256(key.strip()).hexdigest())
