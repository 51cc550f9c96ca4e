"""Reads the styles of a web page: what hides, crosses out or colours its cells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SELECTOR = re.compile(r"\w*([.#][\w-]+)(?: (?:td|tr|span))?")
"""A selector of a class or of one element: ``.red``, ``td.red``, ``.red td``, ``#first``."""
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_ELSEWHERE = re.compile(r"rt|ruby|br|@.*", re.S)
"""Selectors of what stands in no table."""
_CHANGES = re.compile(
    r"line-through|display\s*:\s*none|visibility\s*:|content\s*:\s*[\"'][^\"']|"
    r"(opacity|font-size)\s*:\s*0"
)
"""Declarations that hide, cross out or add text."""
_MOVED = frozenset({"clip", "clip-path", "transform", "filter", "mask"})
"""Declarations that may move text away or cover it."""
_PLAIN_BACKGROUNDS = frozenset({"", "white", "#fff", "#ffffff", "transparent", "none", "auto"})
_PLAIN_COLOURS = frozenset({"", "black", "#000", "#000000", "windowtext", "inherit"})


def styles_of(page: str) -> dict[str, dict[str, str]]:
    """The declarations of each class and each element of the page, as ``.name`` and ``#name``."""
    found: dict[str, dict[str, str]] = {}
    for selector, body in _rules(page):
        if match := _SELECTOR.fullmatch(selector):
            found[match[1]] = found.get(match[1], {}) | declarations(body)
    return found


_ROW = re.compile(r":nth-(?:child|of-type)\((?!\s*(?:even|odd|2n(?:\s*\+\s*[01])?)\s*\))")
"""A selector of certain rows or columns. Every second row is banding."""


def has_other_rules(page: str) -> bool:
    """Whether the page hides, crosses out or adds text by rules that are not understood."""
    return any(
        (_ROW.search(selector) and "color" in body.lower().replace("background", "color"))
        or (
            _CHANGES.search(body.lower())
            and not _ELSEWHERE.fullmatch(selector)
            and ("content" in body.lower() or not _SELECTOR.fullmatch(selector))
        )
        for selector, body in _rules(page)
    )


def _rules(page: str) -> Iterator[tuple[str, str]]:
    """Each selector of the page's style sheets, with its declarations."""
    sheets = " ".join(re.findall(r"<style[^>]*>(.*?)</style", page, re.S | re.I))
    plain = re.sub(r"/\*.*?\*/|<!--|-->", " ", sheets, flags=re.S)
    for selectors, body in _RULE.findall(plain):
        for selector in selectors.split(","):
            yield " ".join(selector.split()), body


def declarations(style: str) -> dict[str, str]:
    """The values of a ``style`` attribute or of a rule, by name."""
    parts = (part.partition(":") for part in style.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in parts}


def filled(style: dict[str, str]) -> dict[str, str]:
    """The declarations that have a value."""
    return {name: value for name, value in style.items() if value}


def palette_entry(style: dict[str, str]) -> list[str]:
    """Background and text colour, as ``Formatting.palette`` has them."""
    background, colour = style.get("background", ""), style.get("color", "")
    if hides(style):
        colour = "invisible"
    return [
        "" if background in _PLAIN_BACKGROUNDS else background,
        "" if colour in _PLAIN_COLOURS else colour,
    ]


def decoration(style: dict[str, str]) -> str:
    """The lines over, under and through the text."""
    return f"{style.get('text-decoration', '')} {style.get('text-decoration-line', '')}"


def hides(style: dict[str, str]) -> bool:
    """Whether the element cannot be seen."""
    sizes = (style.get(name, "1") for name in ("height", "width", "font-size"))
    return (
        style.get("display") == "none"
        or _MOVED & style.keys() != set()
        or style.get("position") in {"absolute", "fixed"}
        or re.fullmatch(r"0?\.[0-4]\d*|0", style.get("opacity", "1")) is not None
        or re.fullmatch(r"-\d{3,}(\.\d+)?(pt|px)?", style.get("text-indent", "")) is not None
        or re.fullmatch(r"[0-2]?(\.\d+)?(pt|px)", style.get("font-size", "")) is not None
        or style.get("visibility") in {"hidden", "collapse"}
        or any(re.fullmatch(r"0(\.0+)?(pt|px|em|cm)?", size) for size in sizes)
    )
