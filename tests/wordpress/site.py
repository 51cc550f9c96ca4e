"""A WordPress that reads the feed of a home, and the PHP that the tests run in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from consent_gate.db.models import Publication
from consent_gate.home.home import Home
from publish.recall.withdraw import remove_withdrawn
from tests.support.fake_renderer import published_files, withdraw_consent
from tests.support.wordpress import WordPress

ACTIVATE = """activate_plugin('consent-gate-feed/consent-gate-feed.php'); return true;"""
RUN = "consent_gate_run(); return consent_gate_problem();"
POST = """return wp_insert_post(
array('post_title'=>'P','post_status'=>'publish','post_content'=>$given['text']));"""
UPLOAD = """$t = wp_tempnam('x'); file_put_contents($t, base64_decode($given['data']));
$id = media_handle_sideload(array('name'=>'hall.jpg','tmp_name'=>$t), 0);
return is_wp_error($id) ? $id->get_error_message() : $id;"""
CLEAR = """deactivate_plugins('consent-gate-feed/consent-gate-feed.php');
foreach (get_posts(array('post_type'=>'any','numberposts'=>-1,'post_status'=>'any')) as $p)
    wp_delete_post($p->ID, true);
foreach (get_posts(array('post_type'=>'attachment','numberposts'=>-1)) as $p)
    wp_delete_attachment($p->ID, true);
$wpdb->query("DELETE FROM $wpdb->options WHERE option_name LIKE 'consent_gate%'"); return 1;"""


@dataclass
class Site:
    """A WordPress that reads the feed of a home."""

    wordpress: WordPress
    home: Home
    token: str

    def run(self) -> str:
        """One run of the plugin. Returns the problem that it shows, if any."""
        return str(self.wordpress.php(RUN))

    def recall_ben(self) -> None:
        """Ben's consent is withdrawn; one of the two pictures shows him."""
        withdraw_consent(self.home, "000002")
        remove_withdrawn(self.home)

    def files(self) -> dict[str, bytes]:
        """The plugin's own files."""
        folder = self.wordpress.uploads / "consent-gate"
        found = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    def bens_picture(self) -> tuple[str, bytes]:
        row = Publication.objects.get(channel="website", item__shown__admission_number="000002")
        return row.file, published_files(self.home)[row.file]

    def upload(self, data: bytes) -> object:
        return self.wordpress.php(UPLOAD, data=base64.b64encode(data).decode())
