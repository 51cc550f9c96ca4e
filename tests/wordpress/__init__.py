"""Tests of the WordPress plugin in a real WordPress."""
