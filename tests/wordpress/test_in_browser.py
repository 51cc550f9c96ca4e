"""What editors and the web manager do in the dashboard, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from publish.feed.tokens import end_token
from tests.support.browser import ARGUMENTS
from tests.support.wordpress import is_installed
from tests.wordpress.site import Site

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not (is_installed() and PROGRAM), reason="needs WordPress (make wordpress-check), Chromium"
    ),
]

NEW_POST = """return wp_insert_post(array('post_title'=>'Photos','post_status'=>'draft'));"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with pytest.MonkeyPatch.context() as here, sync_playwright() as playwright:
        # Playwright runs a loop in this thread, and the tests read the database from it.
        here.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    """The administrator's dashboard."""
    context = chromium.new_context(base_url=site.wordpress.address)
    page = context.new_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=30_000)  # an upload asks a slow page
    page.goto("/wp-login.php")
    page.locator("#user_login").fill("admin")
    page.locator("#user_pass").fill("test-password")
    page.locator("#wp-submit").click()
    page.wait_for_url("**/wp-admin/**")
    yield page
    context.close()


def test_an_editor_inserts_the_block_and_sees_the_pictures(site: Site, page: Page) -> None:
    site.run()
    post = site.wordpress.php(NEW_POST)
    page.goto(f"/wp-admin/post.php?post={post}&action=edit")
    page.wait_for_function(
        "window.wp && wp.data && wp.data.select('core/editor').getCurrentPost().id"
    )
    page.evaluate(
        "wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false)"
    )
    page.get_by_role("button", name="Toggle block inserter").click()
    page.get_by_placeholder("Search").first.fill("School pictures")
    page.get_by_role("option", name="School pictures").click()
    preview = page.locator("[data-type='consent-gate/pictures'] img")
    expect(preview).to_have_count(2)
    assert preview.first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    if not page.get_by_label("At most").is_visible():
        page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_label("At most").fill("1")
    expect(preview).to_have_count(1)
    page.evaluate("wp.data.dispatch('core/editor').savePost()")
    is_saved = "e => !e.isSavingPost() && !e.isEditedPostDirty()"
    page.wait_for_function(f"({is_saved})(wp.data.select('core/editor'))")
    content = site.wordpress.php("return get_post($given['p'])->post_content;", p=post)
    assert content == '<!-- wp:consent-gate/pictures {"limit":"1"} /-->'


def test_the_settings_page_saves_refuses_and_shows_problems(site: Site, page: Page) -> None:
    settings = "/wp-admin/options-general.php?page=consent-gate"
    page.goto(settings)
    assert site.token not in page.content()
    good = page.get_by_label("Address of the feed").input_value()
    page.get_by_label("Address of the feed").fill("http://gate.example/feeds/website")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.locator(".notice-error").filter(has_text="https://")).to_be_visible()
    assert page.get_by_label("Address of the feed").input_value() == good
    page.get_by_label("Hide the pictures after").fill("14")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    saved = site.wordpress.php("return get_option('consent_gate_settings');")
    assert saved == {"feed": good, "token": site.token, "days": 14}
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Pictures shown: 2")).to_be_visible()
    expect(page.locator(".notice-error")).to_have_count(0)
    end_token(site.home, site.token.partition(".")[0], "t.smith")
    page.get_by_role("button", name="Check now").click()
    expect(
        page.locator(".notice-error").filter(has_text="does not accept the token")
    ).to_be_visible()
    page.goto("/wp-admin/site-health.php")
    # What the page's script shows; Debian's WordPress lacks a library that the script needs.
    found = page.evaluate("SiteHealth.site_status.direct.filter(t => t.test === 'consent_gate')")
    assert [test["status"] for test in found] == ["critical"]
    assert "picture feed needs attention" in found[0]["label"]


def test_the_settings_page_is_closed_to_editors(site: Site, page: Page) -> None:
    site.wordpress.php(
        """$u = get_user_by('login', 'ed') ?: get_user_by('id',
            wp_insert_user(array('user_login'=>'ed','user_pass'=>'p-e-n','role'=>'editor')));
        return $u->ID;"""
    )
    page.context.clear_cookies()
    page.goto("/wp-login.php")
    page.locator("#user_login").fill("ed")
    page.locator("#user_pass").fill("p-e-n")
    page.locator("#wp-submit").click()
    page.wait_for_url("**/wp-admin/**")
    for address in (
        "options-general.php?page=consent-gate",
        "admin-post.php?action=consent_gate_check",
    ):
        answer = page.goto(f"/wp-admin/{address}")
        assert answer is not None
        assert answer.status == 403, address


def test_the_upload_forms_refuse_a_copy_with_the_reason(
    site: Site, page: Page, tmp_path: Path
) -> None:
    site.run()
    _, data = site.bens_picture()
    copy = tmp_path / "hall.jpg"
    copy.write_bytes(data)
    page.goto("/wp-admin/media-new.php?browser-uploader")
    page.locator("#async-upload").set_input_files(copy)
    page.locator("#html-upload").click()
    expect(page.get_by_text("picture feed")).to_be_visible()
    page.goto("/wp-admin/media-new.php")
    page.locator(".moxie-shim input[type=file]").set_input_files(copy)
    expect(page.locator("#media-items").get_by_text("picture feed")).to_be_visible()
    post = site.wordpress.php(NEW_POST)
    page.goto(f"/wp-admin/post.php?post={post}&action=edit")
    page.wait_for_function(
        "window.wp && wp.apiFetch && wp.data.select('core/editor').getCurrentPost().id"
    )
    refused = page.evaluate(
        """bytes => { const body = new FormData();
        body.append('file', new File([new Uint8Array(bytes)], 'hall.jpg', {type: 'image/jpeg'}));
        return wp.apiFetch({path: '/wp/v2/media', method: 'POST', body})
            .then(() => 'uploaded', error => error.message); }""",
        list(data),
    )
    assert "picture feed" in refused
    assert list(site.wordpress.uploads.rglob("hall*")) == []
