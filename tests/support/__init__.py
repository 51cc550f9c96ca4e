"""Factories, fakes and servers that tests are built with."""
