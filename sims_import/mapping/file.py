"""Reads and writes the school's mapping as TOML, for ``--mapping`` and for the home.

version = 3
layouts = ["2f9a… 71c0…"]

[columns]
"photograph website" = "consent:website"

[types]
"no photograph" = "refusal"

[answers]
"agree" = "given"
"""

from __future__ import annotations

import json
import tomllib

from consent_gate.errors import GateError
from consent_gate.model import Answer
from sims_import.mapping.understand import SavedMapping
from sims_import.text.cells import answer_key
from sims_import.text.vocabulary import Meaning, Vocabulary, parse_meaning
from sims_import.text.words import key


class MappingInvalid(GateError):
    """The mapping file cannot be used."""

    exit_code = 20
    next_step = "Correct the line in the mapping file, or leave it out and answer the questions."


def to_toml(mapping: SavedMapping) -> str:
    """``mapping`` as TOML text; ``from_toml`` reads it back equal."""
    layouts = ", ".join(map(_quoted, mapping.layouts))
    lines = [f"version = {mapping.version}", f"layouts = [{layouts}]"]
    for title, meanings in (("columns", mapping.columns), ("types", mapping.types)):
        lines += ["", f"[{title}]"]
        lines += [f"{_quoted(name)} = {_quoted(str(m))}" for name, m in sorted(meanings.items())]
    lines += ["", "[answers]"]
    lines += [f"{_quoted(n)} = {_quoted(str(a))}" for n, a in sorted(mapping.answers.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # Every string escape of JSON is valid in TOML.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def from_toml(text: str, vocabulary: Vocabulary) -> SavedMapping:
    """Read a mapping. Captions may be written as in the export.

    Raises:
        MappingInvalid: The text is not TOML, or has an unknown meaning, purpose or answer.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingInvalid(f"The mapping file is not valid TOML: {error}.") from error
    version = data.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise MappingInvalid("The mapping file's version is not a whole number.")
    return SavedMapping(
        _meanings(data.get("columns", {}), vocabulary),
        _meanings(data.get("types", {}), vocabulary),
        _answers(data.get("answers", {})),
        _layouts(data.get("layouts", [])),
        version,
    )


def _answers(section: object) -> dict[str, Answer]:
    if not isinstance(section, dict):
        raise MappingInvalid("The mapping file's [answers] is a table.")
    found = {}
    for text, answer in section.items():
        if answer not in set(Answer):
            raise MappingInvalid(f"'{answer}' for '{text}' is not given, refused or not_stated.")
        found[answer_key(text)] = Answer(answer)
    return found


def _layouts(names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MappingInvalid("The mapping file's layouts are a list of texts.")
    return tuple(names)


def _meanings(section: object, vocabulary: Vocabulary) -> dict[str, Meaning]:
    if not isinstance(section, dict):
        raise MappingInvalid("The mapping file's [columns] and [types] are tables.")
    found = {}
    for caption, text in section.items():
        meaning = parse_meaning(text, vocabulary) if isinstance(text, str) else None
        if meaning is None:
            raise MappingInvalid(f"'{text}' for '{caption}' is not a meaning we know.")
        found[key(caption)] = meaning
    return found
