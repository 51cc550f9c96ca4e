"""A real WordPress on loopback, with a MariaDB of its own that listens on a socket only."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.conftest import ROOT
from tests.support.http_server import free_port

DEBIAN = Path("/usr/share/wordpress")
PLUGIN = ROOT / "docs" / "cms" / "consent-gate-feed"

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', '%(user)s'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:%(socket)s');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_ACCESSIBLE_HOSTS', '127.0.0.1,localhost'); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_SITEURL', '%(address)s'); define('WP_HOME', '%(address)s');
define('WP_DEFAULT_THEME', 'plain');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
"""

NETWORK = """define('MULTISITE', true); define('SUBDOMAIN_INSTALL', false);
define('DOMAIN_CURRENT_SITE', '127.0.0.1:%s'); define('PATH_CURRENT_SITE', '/');
define('SITE_ID_CURRENT_SITE', 1); define('BLOG_ID_CURRENT_SITE', 1);
"""

LOAD = """error_reporting(E_ALL & ~E_DEPRECATED); $_SERVER['HTTP_HOST'] = '127.0.0.1:%(port)s';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1'; $_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['REQUEST_URI'] = '%(path)s';
require '%(folder)s/wp-load.php';
foreach (array('plugin', 'file', 'media', 'image', 'user') as $part)
    require_once ABSPATH . "wp-admin/includes/$part.php";
$given = json_decode(getenv('GIVEN'), true);
wp_set_current_user(1);
"""


def is_installed() -> bool:
    """Whether Debian's packages are there (``.ci/need-wordpress``)."""
    return DEBIAN.is_dir() and bool(shutil.which("php") and shutil.which("mariadb-install-db"))


@dataclass(frozen=True)
class WordPress:
    """A WordPress that runs."""

    folder: Path
    port: int

    @property
    def uploads(self) -> Path:
        """The folder of uploads."""
        return self.folder / "wp-content" / "uploads"

    @property
    def address(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def php(
        self,
        code: str,
        file_bytes: int | None = None,
        memory: str = "512M",
        path: str = "/",
        **given: object,
    ) -> Any:
        """Run code in this WordPress as its administrator.

        Args:
            code: PHP. What it returns is sent as JSON.
            file_bytes: Largest file that the program may write; None for no limit.
            memory: PHP's memory limit.
            path: Chooses the site, on a network of sites.
            given: The array ``$given`` of the code.
        """
        limit = f"trap '' XFSZ; ulimit -f {file_bytes // 1024}; " if file_bytes else ""
        load = LOAD % {"port": self.port, "folder": self.folder, "path": path}
        wrapped = f"{load} $r = (function () use ($given) {{ global $wpdb; {code} }})();"
        wrapped += ' echo "\\n=RESULT=" . json_encode($r);'
        done = subprocess.run(
            ["bash", "-c", f'{limit}exec php -d memory_limit={memory} -r "$CODE"'],
            env={**os.environ, "CODE": wrapped, "GIVEN": json.dumps(given)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        head, mark, result = done.stdout.rpartition("=RESULT=")
        assert mark, done.stdout + done.stderr
        assert "Fatal error" not in head, head
        assert "Warning" not in head, head
        return json.loads(result)

    def page(self, path: str) -> str:
        """The HTML of a page."""
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def make_network(self) -> None:
        """Make this WordPress a network of sites, and add the site /second/."""
        self.php(
            """define('WP_INSTALLING_NETWORK', true);
            require_once ABSPATH . 'wp-admin/includes/upgrade.php';
            require_once ABSPATH . 'wp-admin/includes/network.php';
            foreach ($wpdb->tables('ms_global') as $name => $table) { $wpdb->$name = $table; }
            install_network();
            return populate_network(1, $given['d'], 'a@school.example', 'Schools', '/', false);""",
            d=f"127.0.0.1:{self.port}",
        )
        config = self.folder / "wp-config.php"
        text = config.read_text().replace("$table_prefix", NETWORK % self.port + "$table_prefix")
        config.write_text(text)
        made = self.php(
            """$id = wpmu_create_blog($given['d'], '/second/', 'Second', 1);
            // WordPress drops the colon before the port.
            $wpdb->update($wpdb->blogs, array('domain' => $given['d']), array('blog_id' => $id));
            clean_blog_cache($id);
            foreach (array('home', 'siteurl') as $option) {
                update_blog_option($id, $option, "http://$given[d]/second"); }
            return $id;""",
            d=f"127.0.0.1:{self.port}",
        )
        assert isinstance(made, int), made


@contextmanager
def running_wordpress() -> Iterator[WordPress]:
    """Install WordPress in a temporary folder, run it, and stop it."""
    root = Path(tempfile.mkdtemp(prefix="wordpress-"))
    root.chmod(0o755)
    database = _start_database(root)
    port = free_port()
    site = root / "site"
    shutil.copytree(DEBIAN, site, ignore_dangling_symlinks=True)
    _write_site(site, root / "sock", port)
    log = (root / "php.log").open("w")
    web = subprocess.Popen(
        ["php", "-S", f"127.0.0.1:{port}", "-t", site],
        env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        wordpress = WordPress(site, port)
        _install(wordpress)
        yield wordpress
    finally:
        os.killpg(web.pid, signal.SIGTERM)  # the server and its workers
        database.terminate()
        for process in (web, database):
            process.wait(timeout=30)
        log.close()
        shutil.rmtree(root, ignore_errors=True)


def _start_database(root: Path) -> subprocess.Popen[bytes]:
    user = ["--user=root"] if os.geteuid() == 0 else []
    plain = [f"--datadir={root / 'data'}", "--no-defaults"]
    subprocess.run(
        ["mariadb-install-db", *reversed(plain), *user, "--auth-root-authentication-method=normal"],
        check=True,
        capture_output=True,
    )
    server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    quiet = ["--skip-networking", f"--socket={root / 'sock'}", f"--pid-file={root / 'pid'}"]
    fast = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
    process = subprocess.Popen(
        [server, *reversed(plain), *user, *quiet, *fast],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = ["mariadb", "--no-defaults", f"--socket={root / 'sock'}", "-u", "root", "-e"]
    for _ in range(200):
        made = subprocess.run(
            [*client, "CREATE DATABASE wordpress"], capture_output=True, check=False
        )
        if made.returncode == 0:
            return process
        time.sleep(0.1)
    process.kill()
    raise RuntimeError("MariaDB did not start: " + made.stderr.decode())


def _write_site(site: Path, socket: Path, port: int) -> None:
    config = CONFIG % {
        "user": "root",
        "socket": socket,
        "address": f"http://127.0.0.1:{port}",
    }
    (site / "wp-config.php").unlink(missing_ok=True)
    (site / "wp-config.php").write_text(config)
    theme = site / "wp-content" / "themes" / "plain"
    theme.mkdir(parents=True, exist_ok=True)
    (theme / "style.css").write_text("/* Theme Name: plain */")
    (theme / "functions.php").write_text("<?php add_theme_support( 'post-thumbnails' );")
    (theme / "index.php").write_text(
        "<?php wp_head(); while ( have_posts() ) { the_post(); the_post_thumbnail();"
        " the_content(); } wp_footer();"
    )
    shutil.copytree(PLUGIN, site / "wp-content" / "plugins" / "consent-gate-feed")


def _install(wordpress: WordPress) -> None:
    code = """define('WP_INSTALLING', true); function wp_mail() { return true; }
    $_SERVER['HTTP_HOST'] = '127.0.0.1'; $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
    require '%s/wp-load.php'; require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('School', 'admin', 'a@school.example', true, '', 'test-password');"""
    code %= wordpress.folder
    done = subprocess.run(
        ["php", "-r", code], capture_output=True, text=True, timeout=120, check=False
    )
    try:
        assert wordpress.php("return is_blog_installed();") is True
    except AssertionError as error:
        raise RuntimeError(done.stdout[-2000:] + done.stderr) from error
