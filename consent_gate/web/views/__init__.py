"""Views of the staff web pages, one module for each area."""
