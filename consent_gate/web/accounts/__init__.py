"""Roles, sign-in and staff accounts."""
