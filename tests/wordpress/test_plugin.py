"""The plugin in a real WordPress: pictures arrive, are shown, and are gone after a recall."""

from __future__ import annotations

import base64
from pathlib import Path
from xmlrpc.client import Binary, Fault, ServerProxy

import pytest

from consent_gate.db.models import Item, Publication
from publish.albums import set_album
from publish.feed.tokens import end_token
from publish.recall.tickets import open_tickets
from tests.support.fake_renderer import (
    published_files,
)
from tests.support.wordpress import is_installed
from tests.wordpress.site import ACTIVATE, POST, RUN, Site

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not is_installed(), reason="WordPress is not installed: make wordpress-check"
    ),
]


def test_a_withdrawn_picture_is_gone_from_the_page_and_the_disk_and_the_ticket_closes(
    site: Site,
) -> None:
    assert site.run() == ""
    assert site.files() == published_files(site.home)
    assert len(site.files()) == 2
    post = site.wordpress.php(POST, text="[consent_gate_pictures]")
    page = site.wordpress.page(f"/?p={post}")
    assert page.count("/consent-gate/") == 2
    assert page.count("max-width:100%") == 2
    ben, _ = site.bens_picture()
    site.recall_ben()
    assert len(open_tickets(site.home)) == 1
    assert site.run() == ""
    assert ben not in site.wordpress.page(f"/?p={post}")
    assert site.files() == published_files(site.home)
    assert len(site.files()) == 1
    assert open_tickets(site.home) == []


def test_a_copy_is_refused_by_form_rest_and_xml_rpc(site: Site) -> None:
    site.run()
    _, data = site.bens_picture()
    assert "picture feed" in str(site.upload(data))
    encoded = base64.b64encode(data).decode()
    smaller = site.wordpress.php(
        """$i = imagecreatefromstring(base64_decode($given['d'])); $i = imagescale($i, 120);
        ob_start(); imagejpeg($i, null, 60); return base64_encode(ob_get_clean());""",
        d=encoded,
    )
    assert "picture feed" in str(site.upload(base64.b64decode(smaller)))
    by_rest = site.wordpress.php(
        """$r = new WP_REST_Request('POST', '/wp/v2/media');
        $r->set_body(base64_decode($given['d']));
        $r->set_header('Content-Disposition', 'attachment; filename=a.jpg');
        $r->set_header('Content-Type', 'image/jpeg');
        return rest_do_request($r)->get_data();""",
        d=encoded,
    )
    assert "picture feed" in by_rest["message"]
    rpc = ServerProxy(f"http://127.0.0.1:{site.wordpress.port}/xmlrpc.php")
    upload = {"name": "a.jpg", "type": "image/jpeg", "bits": Binary(data)}
    with pytest.raises(Fault, match="picture feed"):
        rpc.wp.uploadFile(1, "admin", "test-password", upload)


def test_a_picture_that_is_not_of_the_feed_may_be_uploaded(site: Site) -> None:
    site.run()
    other = site.wordpress.php(
        """$i = imagecreatetruecolor(300, 200); for ($y=0;$y<200;$y++) for ($x=0;$x<300;$x++)
        imagesetpixel($i, $x, $y, (($x*$x+$y*3)%256)*65793);
        ob_start(); imagejpeg($i); return base64_encode(ob_get_clean());"""
    )
    assert isinstance(site.upload(base64.b64decode(other)), int)


def test_copies_uploaded_before_the_plugin_knew_go_with_the_recall(site: Site) -> None:
    """The original, its sizes, an edited and a cropped copy, the featured image, and the block."""
    _, data = site.bens_picture()
    attachment = site.upload(data)  # the feed was not read yet
    assert isinstance(attachment, int)
    made = site.wordpress.php(
        """$id = $given['id']; $url = wp_get_attachment_url($id);
        update_option('thumbnail_size_w', 50); update_option('thumbnail_size_h', 50);
        $m = wp_generate_attachment_metadata($id, get_attached_file($id));
        wp_update_attachment_metadata($id, $m);
        $r = new WP_REST_Request('POST', "/wp/v2/media/$id/edit");
        $r->set_body_params(array(
            'src' => $url, 'x' => 5, 'y' => 20, 'width' => 40, 'height' => 40));
        $edited = rest_do_request($r)->get_data();
        require_once ABSPATH . 'wp-admin/includes/image-edit.php';
        $_REQUEST = array('history' => '[{"c":{"x":0,"y":0,"w":90,"h":60}}]', 'target' => 'all',
            'do' => 'save', 'context' => '');
        $saved = wp_save_image($id);
        $text = "<!-- wp:paragraph --><p>Kept words.</p><!-- /wp:paragraph -->\n\n" .
            "<!-- wp:image {\\"id\\":$id} --><figure class=\\"wp-block-image\\">" .
            "<img src=\\"$url\\" " .
            "class=\\"wp-image-$id\\"/></figure><!-- /wp:image -->";
        $post = wp_insert_post(array(
            'post_title'=>'x','post_status'=>'publish','post_content'=>wp_slash($text)));
        $child = $edited['id'] ?? 0; $hero = set_post_thumbnail($post, $id);
        return array($post, $child, $hero, $saved, $edited);""",
        id=attachment,
    )
    post, child, hero = made[:3]
    assert child, made
    assert hero, made
    assert "msg" in made[3], made[3]
    copies = list(site.wordpress.uploads.rglob("hall*"))
    assert len(copies) >= 4, copies
    assert site.run() == ""
    assert "hall" in site.wordpress.page(f"/?p={post}")
    site.recall_ben()
    assert site.run() == ""
    assert list(site.wordpress.uploads.rglob("hall*")) == []
    page = site.wordpress.page(f"/?p={post}")
    assert "hall" not in page
    assert "wp-image" not in page
    assert "Kept words." in page
    left = site.wordpress.php(
        "return array_filter(array_map('get_post', $given['ids']));", ids=[attachment, child]
    )
    assert not left
    assert open_tickets(site.home) == []


@pytest.mark.parametrize("start", ["<figure>", "[caption id='x']"])
def test_a_long_post_with_an_unclosed_figure_keeps_its_words(site: Site, start: str) -> None:
    left = site.wordpress.php(
        """$html = $given['start'] . '<img src="/wp-content/uploads/2026/11/hall-300x200.jpg">';
        $html .= str_repeat('word ', 80000);
        return consent_gate_strip_images($html, array('2026/11/hall'), array());""",
        start=start,
    )
    assert left.startswith(start + "word ")
    assert "hall" not in left
    assert left.count("word ") == 80000


def test_nothing_is_confirmed_while_a_copy_cannot_be_deleted(site: Site) -> None:
    site.run()
    site.recall_ben()
    locked = site.wordpress.php(
        """
        $f = array_keys(consent_gate_get('consent_gate_pictures'));
        foreach ($f as $n) { $p = consent_gate_folder() . "/$n";
            $known = consent_gate_read_list(); if (isset($known['items'][$n])) continue;
            unlink($p); mkdir($p); touch("$p/x"); }
        consent_gate_run(); return consent_gate_problem();"""
    )
    assert "could not be removed" in locked
    assert len(open_tickets(site.home)) == 1


def test_a_second_run_at_the_same_time_does_nothing(site: Site) -> None:
    held = """$other = new wpdb(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST);
    $lock = 'consent_gate_' . md5(DB_NAME . $wpdb->base_prefix);
    $other->get_var("SELECT GET_LOCK('$lock', 0)"); consent_gate_run();
    return consent_gate_get('consent_gate_status');"""
    assert site.wordpress.php(held) == []
    assert site.files() == {}


def test_a_full_disk_shows_no_half_picture(site: Site) -> None:
    problem = site.wordpress.php(RUN, file_bytes=1024)
    assert "disk" in problem
    assert site.files() == {}
    assert site.run() == ""
    assert len(site.files()) == 2


def test_a_huge_picture_and_a_list_without_items_are_refused(site: Site) -> None:
    fake = """add_filter('pre_http_request', function ($no, $a, $url) use ($given) {
        return array('headers'=>array(),'cookies'=>array(),'filename'=>null,
            'response'=>array('code'=>200,'message'=>''),'body'=>$given['body']); }, 10, 3);
    consent_gate_run(); return consent_gate_problem();"""
    head = '{"schema":"consent-gate/manifest@1","withdrawn":[]'
    assert "not a list" in site.wordpress.php(fake, body=head + "}")
    assert "not a list" in site.wordpress.php(fake, body="<html>")
    name = "2026-11/" + "a" * 26 + ".jpg"
    item = f'{{"id":"{"a" * 26}","file":"{name}","sha256":"{"0" * 64}",'
    item += '"bytes":419430400,"width":1,"height":1}'
    assert "larger" in site.wordpress.php(fake, body=f'{head},"items":[{item}]}}')
    assert "not a list" in site.wordpress.php(
        fake, body=f'{head},"items":[{item.replace("2026-11/", "../")}]}}'
    )


def test_deactivating_and_uninstalling_leave_no_picture(site: Site) -> None:
    site.run()
    site.wordpress.php("deactivate_plugins('consent-gate-feed/consent-gate-feed.php'); return 1;")
    assert site.files() == {}
    site.wordpress.php(ACTIVATE)
    site.run()
    assert len(site.files()) == 2
    site.wordpress.php("uninstall_plugin('consent-gate-feed/consent-gate-feed.php'); return 1;")
    assert site.files() == {}
    options = """return $wpdb->get_col(
        "SELECT option_name FROM $wpdb->options WHERE option_name LIKE 'consent_gate%'");"""
    assert site.wordpress.php(options) == []


def test_a_revoked_token_is_told_and_the_pictures_are_hidden_after_days(site: Site) -> None:
    site.run()
    end_token(site.home, site.token.partition(".")[0], "t.smith")
    assert "does not accept the token" in site.run()
    assert len(site.files()) == 2
    shown = (
        "ob_start(); consent_gate_notice(); return array(ob_get_clean(), consent_gate_health());"
    )
    notice, health = site.wordpress.php(
        "require_once ABSPATH . 'wp-admin/includes/template.php';"
        "require_once WP_PLUGIN_DIR . '/consent-gate-feed/includes/admin.php';" + shown
    )
    assert "does not accept the token" in notice
    assert health["status"] == "critical"
    post = site.wordpress.php(POST, text="[consent_gate_pictures]")
    site.wordpress.php(
        """$s = get_option('consent_gate_status'); $s['heard'] = time() - 8 * DAY_IN_SECONDS;
        update_option('consent_gate_status', $s); return 1;"""
    )
    assert "/consent-gate/" not in site.wordpress.page(f"/?p={post}")
    assert "hidden" in site.run()
    assert site.files() == {}


def test_the_token_is_not_sent_in_clear_to_another_machine(site: Site) -> None:
    safe = "return array_map('consent_gate_is_safe_address', $given['a']);"
    addresses = [
        "http://gate.example/f",
        "https://gate.example/f",
        "http://127.0.0.1:8/f",
        "http://127.0.0.1@evil.example/",
        "https://user@gate.example/f",
        "http://localhost.evil.example/",
        "ftp://localhost/",
        "",
    ]
    assert site.wordpress.php(safe, a=addresses) == [
        *(False, True, True),
        *(False, False, False, False, False),
    ]


def test_the_shortcode_and_the_block_choose_pictures(site: Site) -> None:
    site.run()
    (first, second) = sorted(
        Publication.objects.filter(channel="website"), key=lambda p: (p.released_at, p.pk)
    )
    text = f"""[consent_gate_pictures ids="{first.pk}"]
    <!-- wp:consent-gate/pictures {{"limit":"1"}} /-->"""
    post = site.wordpress.php(POST, text=text)
    page = site.wordpress.page(f"/?p={post}")
    assert page.count(first.file) >= 1
    assert page.count("<img") == 2
    chosen = "return array_map(fn($a) => substr_count(consent_gate_show($a), '<img'), $given['a']);"
    asked = [
        {"since": "2999-01-01"},
        {"since": "soon"},
        {"album": "none"},
        {"limit": "0"},
        {"order": "oldest"},
    ]
    assert site.wordpress.php(chosen, a=asked) == [0, 0, 0, 0, 2]
    assert second.pk


def test_an_album_that_staff_chose_is_shown_and_changes(site: Site) -> None:
    first = Item.objects.filter(publications__channel="website").first()
    assert first is not None
    Item.objects.filter(pk=first.pk).update(event="summer-fair")
    set_album(site.home, "summer-fair", "Summer fair & fête 2026", "t.smith")
    site.run()
    text = '[consent_gate_pictures album="Summer fair & fête 2026"]'
    post = site.wordpress.php(POST, text=text)
    file = Publication.objects.get(channel="website", item=first).file
    page = site.wordpress.page(f"/?p={post}")
    assert page.count("<img") == 1
    assert file in page
    set_album(site.home, "summer-fair", "Fair", "t.smith")
    site.run()
    assert site.wordpress.page(f"/?p={post}").count("<img") == 0


def test_a_copy_that_another_program_trimmed_is_refused(site: Site, shared_data: Path) -> None:
    photos = sorted((shared_data / "groups" / "images").iterdir())[:12]
    found = site.wordpress.php(
        """foreach ($given['photos'] as $file) { $data = file_get_contents($file);
            $known = array(array('sha256' => '', 'prints' =>
                consent_gate_prints_of_feed_picture($data)));
            $i = imagecreatefromstring($data); $w = imagesx($i); $h = imagesy($i);
            foreach ($given['trims'] as $t) {
                $c = imagecrop($i, array('x' => (int) ($w * $t[0]), 'y' => (int) ($h * $t[1]),
                    'width' => (int) ($w * (1 - $t[0] - $t[2])),
                    'height' => (int) ($h * (1 - $t[1] - $t[3]))));
                ob_start(); imagejpeg($c, null, 60);
                $marks = consent_gate_marks_of_upload(ob_get_clean());
                $missed[] = is_null(consent_gate_find_picture($marks, $known)); } }
        return count(array_filter($missed));""",
        photos=[str(photo) for photo in photos],
        trims=[
            *([0.025] * 4, [0.05, 0, 0, 0], [0, 0.05, 0, 0], [0.05] * 4, [0.03, 0.01, 0.02, 0.04]),
            *([0.2, 0, 0, 0], [0, 0.2, 0, 0], [0, 0, 0.2, 0], [0, 0, 0, 0.2], [0.3, 0, 0, 0]),
        ],
    )
    assert found <= 1  # of 120


def test_a_copy_that_another_program_cut_to_a_common_form_is_refused(
    site: Site, shared_data: Path
) -> None:
    photos = sorted((shared_data / "groups" / "images").iterdir())[:12]
    missed = site.wordpress.php(
        """$missed = array();
        foreach ($given['photos'] as $file) { $data = file_get_contents($file);
            $i = imagecreatefromstring($data); $w = imagesx($i); $h = imagesy($i);
            $known = array(array('sha256' => '', 'prints' =>
                consent_gate_prints_of_feed_picture($data)));
            foreach (array(16 / 9, 4 / 3, 1) as $form) foreach (array(0, 0.5, 1) as $at) {
                $cw = (int) min($w, $h * $form); $ch = (int) min($h, $w / $form);
                if ($cw * $ch <= 0.5 * $w * $h) continue;
                $c = imagecrop($i, array('x' => (int) (($w - $cw) * $at),
                    'y' => (int) (($h - $ch) * $at), 'width' => $cw, 'height' => $ch));
                ob_start(); imagejpeg($c, null, 60);
                $marks = consent_gate_marks_of_upload(ob_get_clean());
                $found = consent_gate_find_picture($marks, $known);
                if (is_null($found)) $missed[] = "$file $form"; } }
        return $missed;""",
        photos=[str(photo) for photo in photos],
    )
    assert missed == []


def test_portraits_of_different_people_are_no_copies(site: Site, shared_data: Path) -> None:
    """A match deletes a file of the school's own when the feed's picture is withdrawn."""
    people = sorted((shared_data / "faces" / "people").iterdir())[:60]
    photos = [str(min(folder.glob("*.jpg"))) for folder in people]
    found = site.wordpress.php(
        """foreach ($given['photos'] as $file) { $data = file_get_contents($file);
            $prints = consent_gate_prints_of_feed_picture($data);
            $known[] = array('sha256' => '', 'prints' => $prints);
            $marks[] = consent_gate_marks_of_upload($data); }
        foreach ($marks as $n => $mark) {
            $others = $known; unset($others[$n]);
            $copies[] = consent_gate_find_picture($mark, array($known[$n]));
            $wrong[] = consent_gate_find_picture($mark, $others); }
        return array(count(array_filter($copies, 'is_null')), array_filter($wrong, 'is_int'));""",
        photos=photos,
    )
    assert found == [0, []]
