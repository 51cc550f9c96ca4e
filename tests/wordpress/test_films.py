"""Films in a real WordPress: they arrive in parts, get a player, and go with a recall."""

from __future__ import annotations

import base64
import hashlib
import re
import struct

import numpy as np
import pytest

from consent_gate.db.models import Publication
from publish.channel.manifest import write_manifest
from publish.recall.tickets import open_tickets
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from tests.support.fake_renderer import (
    FakeRenderer,
    make_film_item,
    published_files,
    read_manifest,
    withdraw_consent,
)
from tests.support.wordpress import is_installed
from tests.wordpress.site import POST, Site

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not is_installed(), reason="WordPress is not installed: make wordpress-check"
    ),
]

UPLOAD_FILM = """$t = wp_tempnam('x'); file_put_contents($t, base64_decode($given['data']));
$given = array('name'=>'play.mp4','tmp_name'=>$t);
$file = wp_handle_sideload($given, array('test_form'=>false));
if (isset($file['error'])) { return $file['error']; }
return wp_insert_attachment(array('post_mime_type'=>$file['type'],'post_title'=>'play'),
    $file['file']);"""
"""Debian's WordPress has no getID3, so no metadata are made."""

BLOCKS = """<!-- wp:paragraph --><p>Kept words.</p><!-- /wp:paragraph -->
<!-- wp:video {"id":ID} --><figure class="wp-block-video"><video controls src="URL"></video>
<figcaption>Ben on stage</figcaption></figure><!-- /wp:video -->
<!-- wp:file {"id":ID,"href":"URL"} --><div class="wp-block-file"><a href="URL">play</a></div>
<!-- /wp:file -->
<!-- wp:media-text {"mediaId":ID,"mediaType":"video"} --><div class="wp-block-media-text">
<figure><video controls src="URL"></video></figure><div><p>Words beside.</p></div></div>
<!-- /wp:media-text -->"""

SHORTCODES = """Kept words. [video width="64" mp4="URL"][/video] then [video src="URL"] and
<video controls><source src="URL" type="video/mp4"></video> and <a href="URL">here</a>.
[video mp4="http://other.example/own.mp4"][/video] [playlist type="video" ids="ID"]"""


def film_bytes(size: int, seed: int = 1) -> bytes:
    """What PHP takes for an MP4, of about this size."""
    free = np.random.default_rng(seed).bytes(size)
    ftyp = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"mp41")
    return ftyp + struct.pack(">I4s", 8 + len(free), b"free") + free


def release_film(site: Site, size: int = 50_000) -> tuple[str, str]:
    """A film of Ben is out. Returns the names of the film and of its poster."""
    make_film_item(site.home, "000002", film_bytes(size))
    publish_pending(site.home, FakeRenderer())
    row = Publication.objects.get(channel="website", siblings__0__kind="mp4")
    return row.file.replace(".jpg", ".mp4"), row.file


def test_a_film_is_shown_with_its_poster_and_both_go_with_the_recall(site: Site) -> None:
    film, poster = release_film(site, 9 << 20)  # three parts
    with_sound = Publication.objects.filter(channel="website", file=poster)
    with_sound.update(sound={"sha256": "ab" * 32, "muted": []})
    write_manifest(site.home, "website")
    assert read_manifest(site.home)["items"][-1]["sound"] is True
    assert site.run() == ""
    assert site.files() == published_files(site.home)
    post = site.wordpress.php(POST, text="[consent_gate_pictures]")
    page = site.wordpress.page(f"/?p={post}")
    assert page.count("<video") == 1
    assert 'preload="none"' in page
    (player,) = re.findall("<video [^>]*>", page)
    assert "controls" in player
    assert "muted" not in player, "the film has sound"
    assert "autoplay" not in player
    assert f'/consent-gate/{film}" type="video/mp4"' in page
    assert f"/consent-gate/{poster}" in page
    assert page.count("<img") == 2, "the poster is no picture of its own"
    recall(site)
    assert len(open_tickets(site.home)) == 2
    assert site.run() == ""
    assert site.files() == published_files(site.home)
    assert film not in site.files()
    assert poster not in site.files()
    assert "<video" not in site.wordpress.page(f"/?p={post}")
    assert open_tickets(site.home) == []


def recall(site: Site) -> None:
    withdraw_consent(site.home, "000002")
    remove_withdrawn(site.home)


def test_an_interrupted_film_is_continued_and_is_shown_only_when_it_is_whole(site: Site) -> None:
    film, _ = release_film(site, 100_000)
    data = published_files(site.home)[film]
    folder = site.wordpress.uploads / "consent-gate"
    (folder / film).parent.mkdir(parents=True)
    (folder / f"{film}.part").write_bytes(data[:60_000])
    (folder / f"{film}.part").chmod(0o666)
    asked = site.wordpress.php(
        """$asked = array(); add_filter('http_request_args', function ($a, $url) use (&$asked) {
        if (isset($a['headers']['Range'])) { $asked[] = $a['headers']['Range']; }
        return $a; }, 10, 2);
        consent_gate_run(); return $asked;"""
    )
    assert asked == [f"bytes=60000-{len(data) - 1}"]
    assert site.files() == published_files(site.home)


def test_a_part_that_does_not_fit_is_thrown_away_and_fetched_again(site: Site) -> None:
    film, _ = release_film(site, 100_000)
    folder = site.wordpress.uploads / "consent-gate"
    (folder / film).parent.mkdir(parents=True)
    for wrong in (b"x" * 60_000, b"x" * 200_000):
        (folder / f"{film}.part").write_bytes(wrong)
        (folder / f"{film}.part").chmod(0o666)
        assert "film" in site.run()
        assert film not in site.files()
        post = site.wordpress.php(POST, text="[consent_gate_pictures]")
        assert "<video" not in site.wordpress.page(f"/?p={post}")
        assert f"{film}.part" not in site.files()
    assert site.run() == ""
    assert site.files() == published_files(site.home)


def test_a_film_that_was_changed_or_lost_its_poster_is_mended(site: Site) -> None:
    film, poster = release_film(site)
    site.run()
    folder = site.wordpress.uploads / "consent-gate"
    (folder / film).write_bytes(film_bytes(50_000, seed=2))
    (folder / poster).unlink()
    post = site.wordpress.php(POST, text="[consent_gate_pictures]")
    assert "<video" not in site.wordpress.page(f"/?p={post}")
    assert site.run() == ""
    assert site.files() == published_files(site.home)


def test_a_film_recalled_while_it_was_fetched_leaves_nothing(site: Site) -> None:
    """Killed after a part, after the film without its poster, or the other way round."""
    film, poster = release_film(site)
    site.run()
    folder = site.wordpress.uploads / "consent-gate"
    (folder / f"{film}.part").write_bytes(b"part of it")
    (folder / poster).unlink()
    recall(site)
    assert site.run() == ""
    assert not [name for name in site.files() if name.startswith(film[:-4])]
    assert open_tickets(site.home) == []


def test_copies_of_a_film_and_of_its_poster_are_refused(site: Site) -> None:
    film, poster = release_film(site)
    site.run()
    files = published_files(site.home)
    upload = base64.b64encode(files[film]).decode()
    assert "picture feed" in str(site.wordpress.php(UPLOAD_FILM, data=upload))
    assert "picture feed" in str(site.upload(files[poster]))
    other = base64.b64encode(film_bytes(50_000, seed=9)).decode()
    assert isinstance(site.wordpress.php(UPLOAD_FILM, data=other), int)


def test_a_large_film_of_somebody_else_is_uploaded_with_little_memory(site: Site) -> None:
    """PHP has 128 MB. A film is compared by its SHA-256, which is read in small parts."""
    site.run()
    code = """$t = wp_tempnam('x'); $f = fopen($t, 'w'); fwrite($f, base64_decode($given['head']));
    for ($n = 0; $n < 300; $n++) { fwrite($f, str_repeat('x', 1048576)); } fclose($f);
    $marks = consent_gate_marks_of_file($t); unlink($t); return $marks;"""
    head = film_bytes(0)
    marks = site.wordpress.php(code, memory="128M", head=base64.b64encode(head).decode())
    digest = hashlib.sha256(head + b"x" * (300 << 20)).hexdigest()
    assert marks == {"sha256": [digest], "prints": []}


def test_copies_uploaded_before_go_with_every_use_of_them(site: Site) -> None:
    """A video block, a cover, a shortcode, an element, a link and a widget."""
    film, _ = release_film(site)
    data = base64.b64encode(published_files(site.home)[film]).decode()
    attachment = site.wordpress.php(UPLOAD_FILM, data=data)  # the feed was not read yet
    assert isinstance(attachment, int)
    text = """$id = $given['id']; $posts = array();
    foreach (array($given['blocks'], $given['shortcodes']) as $text) {
        $text = strtr($text, array('ID' => $id, 'URL' => wp_get_attachment_url($id)));
        $texts[] = $text;
        $posts[] = wp_insert_post(array(
            'post_title'=>'x','post_status'=>'publish','post_content'=>wp_slash($text)));
    }
    update_option('widget_block', array(2 => array('content' => $texts[0]), '_multiwidget' => 1));
    return $posts;"""
    posts = site.wordpress.php(text, id=attachment, blocks=BLOCKS, shortcodes=SHORTCODES)
    assert site.run() == ""
    assert "play.mp4" in site.wordpress.page(f"/?p={posts[1]}")
    recall(site)
    assert site.run() == ""
    assert list(site.wordpress.uploads.rglob("play*")) == []
    for post in posts:
        stored = site.wordpress.php("return get_post($given['p'])->post_content;", p=post)
        assert "play" not in stored.replace("playlist", "")
        assert "Kept words." in stored
    blocks = site.wordpress.php("return get_post($given['p'])->post_content;", p=posts[0])
    assert "Ben on stage" not in blocks
    assert "<video" not in blocks
    assert "Words beside." in blocks
    plain = site.wordpress.php("return get_post($given['p'])->post_content;", p=posts[1])
    assert "other.example/own.mp4" in plain
    assert plain.count("[video") == 1
    widget = site.wordpress.php("return get_option('widget_block')[2]['content'];")
    assert "<video" not in widget
    assert "Kept words." in widget
    assert site.wordpress.php("return get_post($given['i']) !== null;", i=attachment) is False
    assert open_tickets(site.home) == []


def test_a_list_with_half_a_film_is_refused_as_a_whole(site: Site) -> None:
    release_film(site)
    code = """$found = array();
    foreach (array(
        fn($e) => array('poster' => null) + $e,
        fn($e) => array('poster' => array('file' => $given['other']) + $e['poster']) + $e,
        fn($e) => array('kind' => 'picture') + $e,
        fn($e) => array('file' => $e['poster']['file']) + $e,
        fn($e) => array('file' => '../../x.mp4') + $e,
        fn($e) => $e,
    ) as $change) {
        $filter = function ($answer, $args, $url) use ($change) {
            if (false === strpos($url, 'manifest')) { return $answer; }
            $list = json_decode($answer['body'], true);
            foreach ($list['items'] as $n => $e) {
                if (isset($e['kind'])) { $list['items'][$n] = $change($e); } }
            $answer['body'] = json_encode($list); return $answer; };
        add_filter('http_response', $filter, 10, 3);
        $found[] = is_wp_error(consent_gate_read_list());
        remove_filter('http_response', $filter, 10);
    }
    return $found;"""
    found = site.wordpress.php(code, other=f"2026-11/{'b' * 26}.jpg")
    assert found == [True, True, True, True, True, False]
