<?php
/**
 * Removes all pictures and settings of the plugin, on every site of the network.
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

foreach ( array( 'settings', 'gate', 'files', 'fingerprint', 'library', 'posts', 'run' ) as $consent_gate_part ) {
	require_once __DIR__ . "/includes/$consent_gate_part.php";
}
const CONSENT_GATE_EVENT = 'consent_gate_pull';

consent_gate_on_each_site( 'consent_gate_remove_everything' );
consent_gate_on_each_site( 'consent_gate_delete_options' );
