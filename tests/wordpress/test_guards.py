"""Each guard of the plugin is needed: without it, the test that it is for fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xmlrpc.client import Fault

import pytest

from tests.support.wordpress import is_installed
from tests.wordpress import test_films as films
from tests.wordpress import test_hostile_gate as gate
from tests.wordpress import test_plugin as plugin
from tests.wordpress.site import Site

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not is_installed(), reason="WordPress is not installed: make wordpress-check"
    ),
]


@dataclass(frozen=True)
class Guard:
    """One guard, and what the plugin does without it."""

    file: str
    """Below ``includes``."""
    code: str
    """Stands once in the file."""
    without: str
    """Replaces the code."""
    check: Callable[[Site], None]
    """Fails without the guard."""


GUARDS = {
    "a copy is refused in forms": Guard(
        "library.php",
        "if ( consent_gate_is_known( consent_gate_marks_of_file( $path ) ) ) {",
        "if ( false ) {",
        plugin.test_a_copy_is_refused_by_form_rest_and_xml_rpc,
    ),
    "a copy is refused as bytes": Guard(
        "library.php",
        "&& consent_gate_is_known( consent_gate_marks_of_upload( (string) $upload['bits'] ) ) ) {",
        "&& false ) {",
        plugin.test_a_copy_is_refused_by_form_rest_and_xml_rpc,
    ),
    "players go with their film": Guard(
        "posts.php",
        "$html = consent_gate_strip_films( $html, implode( '|', $addresses ) );",
        "$html = $html;",
        films.test_copies_uploaded_before_go_with_every_use_of_them,
    ),
    "a film has its own poster": Guard(
        "gate.php",
        "if ( ( $poster['file'] ?? '' ) !== $file ) {",
        "if ( false ) {",
        films.test_a_list_with_half_a_film_is_refused_as_a_whole,
    ),
    "a part of another film is not kept": Guard(
        "files.php",
        'if ( consent_gate_is_whole( "$path.part", $item ) && @rename(',
        "if ( @rename(",
        films.test_a_part_that_does_not_fit_is_thrown_away_and_fetched_again,
    ),
    "a smaller copy has the same print": Guard(
        "fingerprint.php",
        "if ( consent_gate_is_same( $print, $other ) ) {",
        "if ( $print === $other ) {",
        plugin.test_a_copy_is_refused_by_form_rest_and_xml_rpc,
    ),
    "unlisted pictures leave the page": Guard(
        "run.php",
        "consent_gate_save( CONSENT_GATE_PICTURES, array_intersect_key("
        " consent_gate_get( CONSENT_GATE_PICTURES ), $listed ) );\n\t$clean = true;",
        "return true;",
        plugin.test_a_withdrawn_picture_is_gone_from_the_page_and_the_disk_and_the_ticket_closes,
    ),
    "the library is searched for copies": Guard(
        "run.php",
        "foreach ( $marks ? consent_gate_attachments_showing( $marks ) : array() as",
        "foreach ( array() as",
        plugin.test_copies_uploaded_before_the_plugin_knew_go_with_the_recall,
    ),
    "a cropped copy inherits its parent's marks": Guard(
        "library.php",
        "$parents  = array( $id, (int) ( $metadata",
        "$parents  = array( 0 * ( $metadata",
        plugin.test_copies_uploaded_before_the_plugin_knew_go_with_the_recall,
    ),
    "posts lose the picture": Guard(
        "library.php",
        "consent_gate_remove_from_posts( array( $stem ), array( $id ) );",
        "",
        plugin.test_copies_uploaded_before_the_plugin_knew_go_with_the_recall,
    ),
    "nothing is confirmed before all is clean": Guard(
        "run.php",
        "if ( ! $clean ) {",
        "if ( false ) {",
        plugin.test_nothing_is_confirmed_while_a_copy_cannot_be_deleted,
    ),
    "one run at a time": Guard(
        "run.php",
        "if ( '1' !== (string) $wpdb->get_var(",
        "if ( '7' === (string) $wpdb->get_var(",
        plugin.test_a_second_run_at_the_same_time_does_nothing,
    ),
    "a picture is whole on the disk": Guard(
        "files.php",
        "! is_link( $path ) && filesize( $path ) === $item['bytes']\n"
        "\t\t&& hash_equals( $item['sha256'], (string) hash_file( 'sha256', $path ) );",
        "true;",
        plugin.test_a_full_disk_shows_no_half_picture,
    ),
    "a list has items": Guard(
        "gate.php",
        "! is_array( $list[ $part ] ) ) {\n\t\t\treturn $wrong;",
        "! is_array( $list[ $part ] ) ) {\n\t\t\t$list[ $part ] = array();",
        plugin.test_a_huge_picture_and_a_list_without_items_are_refused,
    ),
    "a file's name has its form": Guard(
        "gate.php",
        "! consent_gate_is_file( $entry['file'] ?? null ) ||",
        "",
        plugin.test_a_huge_picture_and_a_list_without_items_are_refused,
    ),
    "a huge picture is not fetched": Guard(
        "files.php",
        "if ( $item['bytes'] > CONSENT_GATE_MAX_PICTURE ) {",
        "if ( false ) {",
        plugin.test_a_huge_picture_and_a_list_without_items_are_refused,
    ),
    "switching off removes the files": Guard(
        "run.php",
        "\tconsent_gate_hide_all();\n\t$known = ",
        "\t$known = array(); $unused = ",
        plugin.test_deactivating_and_uninstalling_leave_no_picture,
    ),
    "the problem is kept for administrators": Guard(
        "run.php",
        "is_wp_error( $problem ) ? $problem->get_error_message() : ''",
        "''",
        plugin.test_a_revoked_token_is_told_and_the_pictures_are_hidden_after_days,
    ),
    "an unheard gate hides the pictures on pages": Guard(
        "show.php",
        "consent_gate_is_unheard() ? array() : ",
        "",
        plugin.test_a_revoked_token_is_told_and_the_pictures_are_hidden_after_days,
    ),
    "an unheard gate removes the files": Guard(
        "run.php",
        "if ( consent_gate_is_unheard() ) {",
        "if ( false ) {",
        plugin.test_a_revoked_token_is_told_and_the_pictures_are_hidden_after_days,
    ),
    "the token goes over https": Guard(
        "gate.php",
        "return 'https' === $scheme || ( 'http' === $scheme && $here );",
        "return 'https' === $scheme || 'http' === $scheme;",
        plugin.test_the_token_is_not_sent_in_clear_to_another_machine,
    ),
    "an address has no user": Guard(
        "gate.php",
        "|| isset( $parts['user'] ) ) {",
        ") {",
        plugin.test_the_token_is_not_sent_in_clear_to_another_machine,
    ),
    "a wrong date selects nothing": Guard(
        "show.php",
        ": array();\n\t}\n\tuasort",
        ": $items;\n\t}\n\tuasort",
        plugin.test_the_shortcode_and_the_block_choose_pictures,
    ),
    "an answer is bounded": Guard(
        "gate.php",
        "'limit_response_size' => 64 * KB_IN_BYTES,",
        "",
        gate.test_a_long_answer_to_a_confirmation_stays_below_128_megabytes_of_memory,
    ),
    "a list is bounded": Guard(
        "gate.php",
        "= 12 * MB_IN_BYTES;",
        "= 400 * MB_IN_BYTES;",
        gate.test_an_answer_of_400_megabytes_stays_below_128_megabytes_of_memory,
    ),
    "a picture's body is bounded": Guard(
        "files.php",
        "'limit_response_size' => $item['bytes'] + 1,",
        "'limit_response_size' => 1 << 30,",
        gate.test_a_picture_of_400_megabytes_fills_no_disk,
    ),
    "redirects are not followed": Guard(
        "gate.php",
        "'redirection'         => 0,",
        "'redirection'         => 5,",
        gate.test_a_redirect_is_not_followed,
    ),
}


@pytest.mark.parametrize("name", GUARDS)
def test_without_the_guard_its_test_fails(site: Site, name: str) -> None:
    guard = GUARDS[name]
    plugins = site.wordpress.folder / "wp-content" / "plugins"
    path = plugins / "consent-gate-feed" / "includes" / guard.file
    whole = path.read_text()
    assert whole.count(guard.code) == 1, (
        f"{guard.file} has the guard {whole.count(guard.code)} times"
    )
    path.write_text(whole.replace(guard.code, guard.without))
    try:
        with pytest.raises((AssertionError, Fault, pytest.fail.Exception)):
            guard.check(site)
    finally:
        path.write_text(whole)
