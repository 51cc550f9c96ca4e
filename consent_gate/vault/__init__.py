"""Encrypted storage of originals and previews, in a folder or a bucket."""
