"""Encrypt and decrypt the vectors of face templates."""

from __future__ import annotations

from consent_gate.db.models import Template
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt


def encrypt_vector(home: Home, admission_number: str, template: Template, vector: bytes) -> None:
    """Encrypt a vector (bytes of float32, little endian) into ``template``, which is not saved."""
    place = template_place(admission_number, template.model, template.model_version)
    template.ciphertext = encrypt(home.keys.templates, vector, place)


def decrypt_vector(home: Home, admission_number: str, template: Template) -> bytes:
    """Return the vector of a template: bytes of float32, little endian.

    Raises:
        DecryptionError: The template was altered, or belongs to another pupil or home.
    """
    place = template_place(admission_number, template.model, template.model_version)
    return decrypt(home.keys.templates, bytes(template.ciphertext), place)


def template_place(admission_number: str, model: str, version: str) -> str:
    """Return the associated data of a template, which ties it to this pupil and this model."""
    return f"template:{admission_number}:{model}:{version}"
