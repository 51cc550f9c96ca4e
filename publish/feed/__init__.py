"""Serve a channel's manifest and pictures over HTTP."""
