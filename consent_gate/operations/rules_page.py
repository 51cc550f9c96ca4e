"""The rule books as a page to print, for governors and the data protection officer."""

from __future__ import annotations

from django.template.loader import render_to_string

from consent_gate.decisions.rules.rule_book import RuleBook
from consent_gate.home.home import Home


def rules_page(home: Home, book: RuleBook) -> bytes:
    """One HTML file that needs no other file, in UTF-8."""
    context = {"book": book, "day": home.local_time(home.now()).date()}
    return render_to_string("reports/rules.html", context).encode()
