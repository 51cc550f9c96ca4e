"""The consent register: pupils, their consents, templates and portraits, read from the database."""
