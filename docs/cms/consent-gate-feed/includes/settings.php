<?php
/**
 * The settings and the state of the plugin. On a network, each site has its own.
 */

defined( 'ABSPATH' ) || exit;

const CONSENT_GATE_SETTINGS = 'consent_gate_settings';
const CONSENT_GATE_PICTURES = 'consent_gate_pictures';   // file => item: what the pages show.
const CONSENT_GATE_KNOWN    = 'consent_gate_known';      // file => id, sha256, prints: to recognise copies.
const CONSENT_GATE_CLEANED  = 'consent_gate_confirmed';  // id => true: confirmed to the gate.
const CONSENT_GATE_STATUS   = 'consent_gate_status';     // heard, problem, tried, started.

/** Address of the feed without a slash at its end; the constant in wp-config.php wins. */
function consent_gate_feed() {
	$settings = (array) get_option( CONSENT_GATE_SETTINGS, array() );
	$feed     = defined( 'CONSENT_GATE_FEED' ) ? CONSENT_GATE_FEED : ( $settings['feed'] ?? '' );
	return untrailingslashit( trim( (string) $feed ) );
}

/** The access token; the constant in wp-config.php wins. */
function consent_gate_token() {
	$settings = (array) get_option( CONSENT_GATE_SETTINGS, array() );
	return trim( (string) ( defined( 'CONSENT_GATE_TOKEN' ) ? CONSENT_GATE_TOKEN : ( $settings['token'] ?? '' ) ) );
}

/** Days without an answer of the gate after which the pictures are hidden. */
function consent_gate_days() {
	$settings = (array) get_option( CONSENT_GATE_SETTINGS, array() );
	return min( 90, max( 1, (int) ( $settings['days'] ?? 7 ) ) );
}

/** Reads an option that holds an array. */
function consent_gate_get( $option ) {
	$value = get_option( $option, array() );
	return is_array( $value ) ? $value : array();
}

/** Saves an option that holds an array. Returns whether the database has it now. */
function consent_gate_save( $option, array $value ) {
	update_option( $option, $value, false );
	wp_cache_delete( $option, 'options' );
	return get_option( $option, array() ) == $value; // phpcs:ignore -- the order of keys does not matter.
}

/** Whether the gate has not answered for too long. */
function consent_gate_is_unheard() {
	$status = consent_gate_get( CONSENT_GATE_STATUS );
	$heard  = (int) ( $status['heard'] ?? 0 );
	return $heard > time() + DAY_IN_SECONDS || $heard < time() - consent_gate_days() * DAY_IN_SECONDS;
}

/** Deletes all options of this site. */
function consent_gate_delete_options() {
	$options = array( CONSENT_GATE_SETTINGS, CONSENT_GATE_PICTURES, CONSENT_GATE_KNOWN, CONSENT_GATE_CLEANED, CONSENT_GATE_STATUS );
	array_map( 'delete_option', $options );
	delete_post_meta_by_key( CONSENT_GATE_SCAN );
	delete_post_meta_by_key( CONSENT_GATE_SCANNED_FILE );
}

/** Calls a function on each site of the network, or once. Returns the results. */
function consent_gate_on_each_site( $call, ...$arguments ) {
	if ( ! is_multisite() ) {
		return array( $call( ...$arguments ) );
	}
	$results = array();
	foreach ( get_sites( array( 'number' => 0, 'fields' => 'ids' ) ) as $site ) {
		switch_to_blog( $site );
		try {
			$results[] = $call( ...$arguments );
		} finally {
			restore_current_blog();
		}
	}
	return $results;
}
