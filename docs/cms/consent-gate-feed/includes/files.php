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

/** Names of the pictures and films in the folder, and of parts that a stopped run left. */
function consent_gate_files_on_disk() {
	$names = array();
	foreach ( glob( consent_gate_folder() . '/*/*' ) ?: array() as $path ) {
		$name = basename( dirname( $path ) ) . '/' . basename( $path );
		if ( preg_match( '~^\d{4}-\d\d/[a-z2-7]{26}\.(jpg|mp4)(\.part)?$~D', $name ) ) {
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

/** What changes when somebody writes to a file; empty while a change in the same second would not show. */
function consent_gate_stamp( $path ) {
	clearstatcache( true, $path );
	if ( ! is_file( $path ) || is_link( $path ) || filectime( $path ) > time() - 2 ) {
		return '';
	}
	return implode( ':', array( filesize( $path ), filemtime( $path ), filectime( $path ), fileinode( $path ) ) );
}

/**
 * Fetches a film that is not on the disk, part by part. An unfinished one is continued by the next run.
 *
 * @param array  $item  The entry of the list.
 * @param string $stamp Of the file when its bytes were last compared with the list; it is large.
 * @param int    $end   No new part is fetched after this time.
 * @return bool|WP_Error True: the whole film is on the disk. False: more parts are needed.
 */
function consent_gate_fetch_film( array $item, $stamp, $end ) {
	$path = consent_gate_folder() . '/' . $item['file'];
	if ( ( '' !== $stamp && consent_gate_stamp( $path ) === $stamp ) || consent_gate_is_whole( $path, $item ) ) {
		return true;
	}
	consent_gate_delete( $path );
	if ( $item['bytes'] > CONSENT_GATE_MAX_FILM ) {
		return new WP_Error( 'consent_gate', 'A film of the feed is larger than 256 MB and is not shown.' );
	}
	if ( ! wp_mkdir_p( dirname( $path ) ) ) {
		return new WP_Error( 'consent_gate', 'The folder uploads/consent-gate cannot be written.' );
	}
	do {
		clearstatcache( true, "$path.part" );
		$have = is_file( "$path.part" ) && ! is_link( "$path.part" ) ? filesize( "$path.part" ) : 0;
		$last = min( $item['bytes'], $have + CONSENT_GATE_PART ) - 1;
		if ( $have < $item['bytes'] ) {
			$part = consent_gate_request(
				'/' . $item['file'],
				array( 'limit_response_size' => CONSENT_GATE_PART + 1 ),
				array( 'Range' => "bytes=$have-$last", 'If-Range' => '"' . $item['sha256'] . '"', 'Accept-Encoding' => 'identity' )
			);
			if ( is_wp_error( $part ) ) {
				return $part;
			}
			if ( strlen( $part ) !== $last + 1 - $have || strlen( $part ) !== @file_put_contents( "$path.part", $part, $have ? FILE_APPEND : 0 ) ) { // phpcs:ignore
				break;
			}
		}
		if ( $last + 1 === $item['bytes'] ) {
			if ( consent_gate_is_whole( "$path.part", $item ) && @rename( "$path.part", $path ) ) { // phpcs:ignore
				return true;
			}
			break;
		}
	} while ( time() < $end );
	if ( $last + 1 < $item['bytes'] && consent_gate_exists( "$path.part" ) && filesize( "$path.part" ) === $last + 1 ) {
		return false;
	}
	consent_gate_delete( "$path.part" );
	return new WP_Error( 'consent_gate', 'A film could not be stored as the gate sent it. Check that the disk of this site is not full.' );
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
