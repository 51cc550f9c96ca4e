<?php
/**
 * Plugin Name: consent-gate feed
 * Description: Shows the pictures that a consent-gate feed allows, and removes those that it withdraws.
 * Version: 2.0
 * Requires at least: 5.8
 * Requires PHP: 7.4
 * License: same as consent-gate
 *
 * The manual is docs/cms/wordpress.md of consent-gate.
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/includes/settings.php';
require_once __DIR__ . '/includes/gate.php';
require_once __DIR__ . '/includes/files.php';
require_once __DIR__ . '/includes/fingerprint.php';
require_once __DIR__ . '/includes/library.php';
require_once __DIR__ . '/includes/posts.php';
require_once __DIR__ . '/includes/run.php';
require_once __DIR__ . '/includes/show.php';
require_once __DIR__ . '/includes/admin.php';

const CONSENT_GATE_EVENT = 'consent_gate_pull';

add_filter( 'cron_schedules', 'consent_gate_schedules' );
add_action( 'init', 'consent_gate_init' );
add_action( CONSENT_GATE_EVENT, 'consent_gate_run' );
register_deactivation_hook( __FILE__, 'consent_gate_deactivate' );

/** Adds the schedule "every minute". */
function consent_gate_schedules( $schedules ) {
	$schedules['consent_gate'] = array(
		'interval' => 60,
		'display'  => 'Every minute',
	);
	return $schedules;
}

/** Schedules the runs, and registers the shortcode and the block. */
function consent_gate_init() {
	if ( ! wp_next_scheduled( CONSENT_GATE_EVENT ) ) {
		wp_schedule_event( time(), 'consent_gate', CONSENT_GATE_EVENT );
	}
	add_shortcode( 'consent_gate_pictures', 'consent_gate_show' );
	wp_register_script(
		'consent-gate-block',
		plugins_url( 'block.js', __FILE__ ),
		array( 'wp-blocks', 'wp-element', 'wp-block-editor', 'wp-components', 'wp-server-side-render' ),
		'2.0',
		true
	);
	register_block_type(
		'consent-gate/pictures',
		array(
			'api_version'     => 2,
			'title'           => 'School pictures',
			'category'        => 'media',
			'icon'            => 'format-gallery',
			'editor_script'   => 'consent-gate-block',
			'attributes'      => array(
				'album' => array( 'type' => 'string', 'default' => '' ),
				'ids'   => array( 'type' => 'string', 'default' => '' ),
				'limit' => array( 'type' => 'string', 'default' => '' ),
				'since' => array( 'type' => 'string', 'default' => '' ),
				'order' => array( 'type' => 'string', 'default' => 'newest' ),
			),
			'render_callback' => 'consent_gate_show',
		)
	);
}

/** Removes all pictures when the plugin is switched off: nothing would remove them later. */
function consent_gate_deactivate( $network_wide = false ) {
	if ( $network_wide ) {
		consent_gate_on_each_site( 'consent_gate_remove_everything' );
	} else {
		consent_gate_remove_everything();
	}
}
