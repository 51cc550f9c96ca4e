<?php
/**
 * The settings page, the notice for administrators, and the check on the page Site Health.
 */

defined( 'ABSPATH' ) || exit;

add_action( 'admin_menu', 'consent_gate_menu' );
add_action( 'admin_init', 'consent_gate_register_settings' );
add_action( 'admin_notices', 'consent_gate_notice' );
add_action( 'admin_post_consent_gate_check', 'consent_gate_check_now' );
add_filter( 'site_status_tests', 'consent_gate_site_health' );

/** Adds the page Settings, School pictures. */
function consent_gate_menu() {
	add_options_page( 'School pictures', 'School pictures', 'manage_options', 'consent-gate', 'consent_gate_page' );
}

/** Registers the settings with their check. */
function consent_gate_register_settings() {
	register_setting( 'consent_gate', CONSENT_GATE_SETTINGS, array( 'sanitize_callback' => 'consent_gate_checked_settings' ) );
}

/** The settings to store. An empty token keeps the old one. */
function consent_gate_checked_settings( $given ) {
	$given = is_array( $given ) ? $given : array();
	$old   = consent_gate_get( CONSENT_GATE_SETTINGS );
	$feed  = esc_url_raw( trim( (string) ( $given['feed'] ?? '' ) ) );
	if ( '' !== $feed && ! consent_gate_is_safe_address( $feed ) ) {
		add_settings_error( 'consent_gate', 'feed', 'The address must begin with https://. It was not changed.' );
		$feed = $old['feed'] ?? '';
	}
	$token = trim( (string) ( $given['token'] ?? '' ) );
	return array(
		'feed'  => $feed,
		'token' => preg_match( '~^[\w.-]+$~D', $token ) ? $token : ( $old['token'] ?? '' ),
		'days'  => min( 90, max( 1, (int) ( $given['days'] ?? 7 ) ) ),
	);
}

/** What is wrong, for administrators; empty if nothing is. */
function consent_gate_problem() {
	$status = consent_gate_get( CONSENT_GATE_STATUS );
	if ( ! empty( $status['problem'] ) ) {
		$hidden = consent_gate_is_unheard() ? ' The pictures are hidden until the gate answers.' : '';
		return $status['problem'] . $hidden;
	}
	if ( empty( $status['tried'] ) ) {
		return 'The feed has not been read yet. Open Settings, School pictures, and press "Check now".';
	}
	if ( $status['tried'] < time() - HOUR_IN_SECONDS ) {
		return 'The feed has not been read for over an hour, because WordPress runs no scheduled tasks. Set up a timer on the server for wp-cron.php.';
	}
	return '';
}

/** Shows the problem to administrators on every page of the dashboard. */
function consent_gate_notice() {
	$problem = current_user_can( 'manage_options' ) ? consent_gate_problem() : '';
	if ( '' !== $problem ) {
		printf( '<div class="notice notice-error"><p><strong>School pictures:</strong> %s</p></div>', esc_html( $problem ) );
	}
}

/** Adds the check to Site Health. */
function consent_gate_site_health( $tests ) {
	$tests['direct']['consent_gate'] = array(
		'label' => 'School pictures',
		'test'  => 'consent_gate_health',
	);
	return $tests;
}

/** The result for Site Health. */
function consent_gate_health() {
	$problem = consent_gate_problem();
	$status  = '' === $problem ? 'good' : 'critical';
	if ( '' === $problem && ! function_exists( 'imagecreatefromstring' ) ) {
		$status  = 'recommended';
		$problem = 'PHP has no GD extension. Uploads are compared with the feed by their bytes only, so changed copies are not found.';
	}
	return array(
		'label'       => 'good' === $status ? 'The school\'s picture feed is read' : 'The school\'s picture feed needs attention',
		'status'      => $status,
		'badge'       => array( 'label' => 'School pictures', 'color' => 'blue' ),
		'description' => '<p>' . esc_html( '' === $problem ? 'The gate answered at the last run.' : $problem ) . '</p>',
		'actions'     => '',
		'test'        => 'consent_gate',
	);
}

/** Reads the feed at once, by the button on the settings page. */
function consent_gate_check_now() {
	if ( ! current_user_can( 'manage_options' ) ) {
		wp_die( 'You may not do this.', '', array( 'response' => 403 ) );
	}
	check_admin_referer( 'consent_gate_check' );
	consent_gate_run();
	wp_safe_redirect( admin_url( 'options-general.php?page=consent-gate' ) );
	exit;
}

/** Prints the settings page. */
function consent_gate_page() {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$status   = consent_gate_get( CONSENT_GATE_STATUS );
	$settings = consent_gate_get( CONSENT_GATE_SETTINGS );
	$name     = CONSENT_GATE_SETTINGS;
	$heard    = empty( $status['heard'] ) ? 'never' : wp_date( 'j F Y, H:i', (int) $status['heard'] );
	?>
	<div class="wrap">
		<h1>School pictures</h1>
		<p>Last answer of the gate: <?php echo esc_html( $heard ); ?>.
			Pictures shown: <?php echo count( consent_gate_select( consent_gate_get( CONSENT_GATE_PICTURES ), array( 'album' => '', 'ids' => '', 'limit' => '', 'since' => '', 'order' => 'newest' ) ) ); ?>.</p>
		<form method="post" action="options.php">
			<?php settings_fields( 'consent_gate' ); ?>
			<table class="form-table">
				<tr><th><label for="cg-feed">Address of the feed</label></th><td>
					<input id="cg-feed" class="regular-text" type="url" name="<?php echo esc_attr( $name ); ?>[feed]"
						value="<?php echo esc_attr( consent_gate_feed() ); ?>" <?php disabled( defined( 'CONSENT_GATE_FEED' ) ); ?>></td></tr>
				<tr><th><label for="cg-token">Token</label></th><td>
					<input id="cg-token" class="regular-text" type="password" autocomplete="off" name="<?php echo esc_attr( $name ); ?>[token]"
						<?php disabled( defined( 'CONSENT_GATE_TOKEN' ) ); ?>>
					<p class="description"><?php echo '' === consent_gate_token() ? 'No token is stored.' : 'A token is stored. Leave this empty to keep it.'; ?></p></td></tr>
				<tr><th><label for="cg-days">Hide the pictures after</label></th><td>
					<input id="cg-days" type="number" min="1" max="90" name="<?php echo esc_attr( $name ); ?>[days]"
						value="<?php echo esc_attr( (string) ( $settings['days'] ?? 7 ) ); ?>"> days without an answer of the gate</td></tr>
			</table>
			<?php submit_button(); ?>
		</form>
		<form method="post" action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>">
			<input type="hidden" name="action" value="consent_gate_check">
			<?php wp_nonce_field( 'consent_gate_check' ); ?>
			<?php submit_button( 'Check now', 'secondary' ); ?>
		</form>
		<p>Deactivating the plugin removes its pictures and their copies from this site.</p>
	</div>
	<?php
}
