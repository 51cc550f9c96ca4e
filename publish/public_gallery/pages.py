"""Write the gallery's HTML. ``format_html`` escapes every text of a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from publish.public_gallery.approved import Picture
from publish.public_gallery.sizes import widths

PAGE_SIZE = 48

STYLE = """\
:root { color-scheme: light dark; --ink: #1b1b1b; --soft: #4a4a4a; --paper: #fff; --line: #767676;
  --link: #0b4f8a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f0f0; --soft: #c8c8c8; --paper: #17191c; --line: #8a8f96; --link: #9ccbff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
a { color: var(--link); } a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
nav ul, .pictures { list-style: none; margin: 0 0 1rem; padding: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
nav a { display: inline-block; padding: .25rem 0; }
nav a[aria-current] { color: var(--ink); font-weight: 700; }
.pictures { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
.pictures a { display: block; text-decoration: none; }
.pictures img { width: 100%; height: auto; aspect-ratio: 3 / 2; object-fit: contain;
  background: #8883; display: block; }
.caption { display: block; padding-top: .25rem; overflow-wrap: anywhere; }
.one img, .one video { max-width: 100%; max-height: 85vh; width: auto; height: auto;
  display: block; }
p { color: var(--soft); }
"""


def index_page(title: str, pictures: Sequence[Picture], album: str, number: int) -> SafeString:
    """The page of a channel, or of one of its albums.

    Args:
        title: Heading of the gallery.
        pictures: All pictures, newest first.
        album: The album to show; empty for all.
        number: Number of the page, from 1.
    """
    albums = Counter(p.album for p in pictures if p.album)
    shown = [p for p in pictures if not album or p.album == album]
    first = (number - 1) * PAGE_SIZE
    cards = format_html_join(
        "\n",
        '<li><a href="{}/">{}{}</a></li>',
        (
            (p.id, _image(p, f"{p.id}/", _name(p, first + n, len(shown))), _caption(p))
            for n, p in enumerate(shown[first : first + PAGE_SIZE], 1)
        ),
    )
    body = format_html('<ul class="pictures">\n{}\n</ul>', cards)
    if not cards:
        body = SafeString("<p>There are no pictures at the moment.</p>")
    pages = _page_links(album, number, -(-len(shown) // PAGE_SIZE))
    return _page(album or title, format_html("{}{}{}", _album_links(albums, album), body, pages))


def picture_page(title: str, picture: Picture, pictures: Sequence[Picture]) -> SafeString:
    """The page of one picture, with links to its neighbours."""
    place = [p.id for p in pictures].index(picture.id)
    name = _name(picture, place + 1, len(pictures))
    links = [("../", "All pictures")]
    if place > 0:
        links.append((f"../{pictures[place - 1].id}/", "Previous picture"))
    if place + 1 < len(pictures):
        links.append((f"../{pictures[place + 1].id}/", "Next picture"))
    listed = format_html_join("", '<li><a href="{}">{}</a></li>', links)
    navigation = format_html('<nav aria-label="Pictures"><ul>{}</ul></nav>', listed)
    if picture.film is None:
        image = _image(picture, "", name, sizes="100vw")
    else:
        image = _video(picture, name)
    body = format_html('{}<div class="one">{}</div>', navigation, image)
    return _page(picture.title or title, body)


def message(title: str, text: str) -> SafeString:
    """A page with one sentence."""
    return _page(title, format_html("<p>{}</p>", text))


def _page(heading: str, body: SafeString) -> SafeString:
    return format_html(
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<title>{0}</title>\n<link rel="stylesheet" href="/gallery/style.css">\n</head>\n'
        "<body>\n<main>\n<h1>{0}</h1>\n{1}\n</main>\n</body>\n</html>\n",
        heading,
        body,
    )


def _image(
    picture: Picture, base: str, alt: str, sizes: str = "(max-width: 34rem) 100vw, 18rem"
) -> SafeString:
    offered = widths(picture)
    return format_html(
        '<img src="{}{}" srcset="{}" sizes="{}" width="{}" height="{}" alt="{}" loading="lazy">',
        base,
        next(iter(offered)),
        ", ".join(f"{base}{name} {width}w" for name, width in offered.items()),
        sizes,
        picture.width,
        picture.height,
        alt,
    )


def _video(picture: Picture, name: str) -> SafeString:
    return format_html(
        '<video controls playsinline preload="none" poster="{}" width="{}" height="{}"'
        ' aria-label="{}"><source src="film.mp4" type="video/mp4"></video>',
        next(reversed(widths(picture))),
        picture.width,
        picture.height,
        name,
    )


def _name(picture: Picture, number: int, count: int) -> str:
    """The description; where there is none, the title or a number, so that a link has a name."""
    return picture.alt or picture.title or f"Picture {number} of {count}"


def _caption(picture: Picture) -> SafeString:
    """The title below a picture, unless it is the description already; the length of a film."""
    lines = [picture.title] if picture.title and picture.alt else []
    if picture.film is not None:
        minutes, seconds = divmod(max(1, round(picture.film.seconds)), 60)
        kind = "Film with sound" if picture.film.has_sound else "Film"
        lines.append(f"{kind}, {minutes}:{seconds:02}")
    return format_html_join("", '<span class="caption">{}</span>', ((line,) for line in lines))


def _album_links(albums: Counter[str], current: str) -> SafeString:
    if not albums:
        return SafeString("")
    links = [("?", "All pictures", "")] + [
        (f"?{urlencode({'album': name})}", name, f" ({count})")
        for name, count in sorted(albums.items())
    ]
    items = format_html_join(
        "",
        '<li><a href="{}"{}>{}{}</a></li>',
        (
            (href, _current((name == current) or (href == "?" and not current)), name, count)
            for href, name, count in links
        ),
    )
    return format_html('<nav aria-label="Albums"><ul>{}</ul></nav>', items)


def _current(is_current: bool) -> SafeString:
    return SafeString(' aria-current="page"' if is_current else "")


def _page_links(album: str, number: int, count: int) -> SafeString:
    near = [(number - 1, "Newer pictures"), (number + 1, "Older pictures")]
    links = [(n, text) for n, text in near if 1 <= n <= count]
    if not links:
        return SafeString("")
    query = {"album": album} if album else {}
    items = format_html_join(
        "",
        '<li><a href="?{}">{}</a></li>',
        ((urlencode(query | {"page": n}), text) for n, text in links),
    )
    return format_html('<nav aria-label="Pages"><ul>{}</ul></nav>', items)
