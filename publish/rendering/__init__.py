"""Render the judged pixels to JPEG, WebP or AVIF files."""
