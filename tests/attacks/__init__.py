"""Attacks: each file tries one way to make the gate release, lose or stop something."""
