<?php
/**
 * The folder of the fetched pictures, uploads/consent-gate. It is outside the media library.
 */

defined( 'ABSPATH' ) || exit;

/** The folder of this site. */
function consent_gate_folder() {
	return wp_upload_dir( null, false )['basedir'] . '/consent-gate';
}

/** Whether a file is on the disk, also when the stat cache is old. */
function consent_gate_exists( $path ) {
	clearstatcache( true, $path );
	return file_exists( $path ) || is_link( $path );
}

/** Deletes a file. Returns whether it is gone. */
function consent_gate_delete( $path ) {
	if ( consent_gate_exists( $path ) ) {
		@unlink( $path ); // phpcs:ignore -- the result is checked on the disk.
	}
	return ! consent_gate_exists( $path );
}

/** Names of the pictures in the folder, and of parts of pictures that a stopped run left. */
function consent_gate_files_on_disk() {
	$names = array();
	foreach ( glob( consent_gate_folder() . '/*/*' ) ?: array() as $path ) {
		$name = basename( dirname( $path ) ) . '/' . basename( $path );
		if ( preg_match( '~^\d{4}-\d\d/[a-z2-7]{26}\.jpg(\.part)?$~D', $name ) ) {
			$names[] = $name;
		}
	}
	return $names;
}

/** Whether the whole picture is on the disk: size and SHA-256 are those of the list. */
function consent_gate_is_whole( $path, array $item ) {
	clearstatcache( true, $path );
	return is_file( $path ) && ! is_link( $path ) && filesize( $path ) === $item['bytes']
		&& hash_equals( $item['sha256'], (string) hash_file( 'sha256', $path ) );
}

/**
 * Fetches a picture that is not on the disk.
 *
 * @return true|WP_Error Whether the whole picture is on the disk afterwards.
 */
function consent_gate_fetch( array $item ) {
	$path = consent_gate_folder() . '/' . $item['file'];
	if ( consent_gate_is_whole( $path, $item ) ) {
		return true;
	}
	consent_gate_delete( $path );
	if ( $item['bytes'] > CONSENT_GATE_MAX_PICTURE ) {
		return new WP_Error( 'consent_gate', 'A picture of the feed is larger than 32 MB and is not shown.' );
	}
	if ( ! wp_mkdir_p( dirname( $path ) ) ) {
		return new WP_Error( 'consent_gate', 'The folder uploads/consent-gate cannot be written.' );
	}
	$data = consent_gate_request(
		'/' . $item['file'],
		array(
			'stream'              => true,
			'filename'            => "$path.part",
			'limit_response_size' => $item['bytes'] + 1,
		)
	);
	// Checked on the disk: a full disk stores a part without an error.
	$is_whole = ! is_wp_error( $data ) && consent_gate_is_whole( "$path.part", $item );
	if ( $is_whole && @rename( "$path.part", $path ) && consent_gate_is_whole( $path, $item ) ) { // phpcs:ignore
		return true;
	}
	consent_gate_delete( "$path.part" );
	consent_gate_delete( $path );
	return is_wp_error( $data ) ? $data
		: new WP_Error( 'consent_gate', 'A picture could not be stored as the gate sent it. Check that the disk of this site is not full.' );
}
