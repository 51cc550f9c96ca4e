<?php
/**
 * Plugin Name: consent-gate feed
 * Description: Shows the pictures a consent-gate feed allows, and takes down what it withdraws.
 *
 * Copy to wp-content/mu-plugins/ and add to wp-config.php:
 *   define('CONSENT_GATE_FEED', 'https://gate.school.example/feeds/website');
 *   define('CONSENT_GATE_TOKEN', '…');            // from 'consent-gate feed token website'
 * Show the pictures with [consent_gate_pictures]. They are kept in uploads/consent-gate, outside the
 * media library, so that no page can go on using one that was withdrawn.
 * WP-Cron runs when somebody visits; for a withdrawal to arrive within a minute on a quiet site, call
 * 'wp cron event run consent_gate_pull' from the server's own timer.
 */

defined('ABSPATH') || exit;

const CONSENT_GATE_PICTURES = 'consent_gate_pictures';
const CONSENT_GATE_CONFIRMED = 'consent_gate_confirmed';

add_filter('cron_schedules', function ($schedules) {
    return $schedules + ['consent_gate' => ['interval' => 60, 'display' => 'Every minute']];
});
add_action('init', function () {
    if (!wp_next_scheduled('consent_gate_pull')) {
        wp_schedule_event(time(), 'consent_gate', 'consent_gate_pull');
    }
});
add_action('consent_gate_pull', 'consent_gate_pull');
add_shortcode('consent_gate_pictures', 'consent_gate_show');

function consent_gate_ask($path, $method = 'GET') {
    $answer = wp_remote_request(CONSENT_GATE_FEED . $path, [
        'method' => $method,
        'timeout' => 60,
        'redirection' => 0,
        'headers' => ['Authorization' => 'Bearer ' . CONSENT_GATE_TOKEN],
    ]);
    return 200 === wp_remote_retrieve_response_code($answer) ? wp_remote_retrieve_body($answer) : null;
}

function consent_gate_folder() {
    return wp_upload_dir()['basedir'] . '/consent-gate';
}

function consent_gate_is_file($name) {
    return is_string($name) && preg_match('~^\d{4}-\d\d/[a-z2-7]{26}\.jpg$~D', $name);
}

function consent_gate_pull() {
    $manifest = json_decode(consent_gate_ask('/manifest.json') ?? '', true);
    if (!is_array($manifest) || 'consent-gate/manifest@1' !== ($manifest['schema'] ?? '')) {
        return; // not reachable: what is here stays until the gate is heard again
    }
    $items = array_filter($manifest['items'], fn($item) => consent_gate_is_file($item['file']));
    $listed = array_column($items, null, 'file');
    // Off the page first, then off the disk, then say so.
    $here = get_option(CONSENT_GATE_PICTURES, []);
    update_option(CONSENT_GATE_PICTURES, array_intersect_key($here, $listed), false);
    foreach (glob(consent_gate_folder() . '/*/*.jpg') ?: [] as $path) {
        if (!isset($listed[basename(dirname($path)) . '/' . basename($path)])) {
            unlink($path);
        }
    }
    consent_gate_confirm($manifest['withdrawn']);
    consent_gate_fetch($listed);
}

function consent_gate_confirm($withdrawn) {
    $confirmed = get_option(CONSENT_GATE_CONFIRMED, []);
    foreach ($withdrawn as $gone) {
        $path = consent_gate_folder() . '/' . $gone['file'];
        $new = !isset($confirmed[$gone['id']]) && preg_match('~^[a-z2-7]{26}$~D', $gone['id']);
        if ($new && consent_gate_is_file($gone['file']) && !file_exists($path)
            && null !== consent_gate_ask("/withdrawn/{$gone['id']}/confirm", 'POST')) {
            $confirmed[$gone['id']] = true;
        }
    }
    update_option(CONSENT_GATE_CONFIRMED, $confirmed, false);
}

function consent_gate_fetch($listed) {
    $here = [];
    foreach ($listed as $file => $item) {
        $path = consent_gate_folder() . '/' . $file;
        if (!file_exists($path)) {
            $data = consent_gate_ask('/' . $file);
            if (null === $data || !hash_equals($item['sha256'], hash('sha256', $data))) {
                continue;
            }
            wp_mkdir_p(dirname($path));
            file_put_contents("$path.part", $data);
            rename("$path.part", $path);
        }
        $here[$file] = $item;
    }
    update_option(CONSENT_GATE_PICTURES, $here, false);
}

function consent_gate_show() {
    $base = wp_upload_dir()['baseurl'] . '/consent-gate/';
    $html = '';
    foreach (get_option(CONSENT_GATE_PICTURES, []) as $file => $item) {
        $html .= sprintf(
            '<figure><img src="%s" alt="%s" width="%d" height="%d" loading="lazy"><figcaption>%s</figcaption></figure>',
            esc_url($base . $file),
            esc_attr($item['alt']),
            $item['width'],
            $item['height'],
            esc_html($item['title'])
        );
    }
    return $html;
}
