<?php
/**
 * Requests to the gate, and checks of what it answers.
 */

defined( 'ABSPATH' ) || exit;

// 128 MB of memory must hold the list several times: 12 MB are some 20 000 pictures.
const CONSENT_GATE_MAX_LIST    = 12 * MB_IN_BYTES;
const CONSENT_GATE_MAX_PICTURE = 32 * MB_IN_BYTES;
const CONSENT_GATE_MAX_FILM    = 256 * MB_IN_BYTES;
const CONSENT_GATE_PART        = 4 * MB_IN_BYTES; // A film is fetched in parts of this size.
const CONSENT_GATE_SCHEMA      = 'consent-gate/manifest@1';

/** Whether the token may be sent to this address: https, or http on this machine. */
function consent_gate_is_safe_address( $address ) {
	$parts = wp_parse_url( $address );
	if ( ! is_array( $parts ) || empty( $parts['host'] ) || isset( $parts['user'] ) ) {
		return false;
	}
	$scheme = strtolower( $parts['scheme'] ?? '' );
	$here   = in_array( strtolower( $parts['host'] ), array( 'localhost', '127.0.0.1', '[::1]' ), true );
	return 'https' === $scheme || ( 'http' === $scheme && $here );
}

/**
 * Sends one request to the gate.
 *
 * @param string $path      Below the address of the feed.
 * @param array  $arguments Of wp_remote_request().
 * @param array  $headers   Further headers. With "Range" only a part of the file is an answer.
 * @return string|WP_Error The body of the answer, or what went wrong in words for the web manager.
 */
function consent_gate_request( $path, array $arguments, array $headers = array() ) {
	if ( '' === consent_gate_feed() || '' === consent_gate_token() ) {
		return new WP_Error( 'consent_gate', 'The address of the feed or the token is not set. Enter both under Settings, School pictures.' );
	}
	if ( ! consent_gate_is_safe_address( consent_gate_feed() ) ) {
		return new WP_Error( 'consent_gate', 'The address of the feed must begin with https://. Otherwise the token could be read on the way.' );
	}
	$answer = wp_remote_request(
		consent_gate_feed() . $path,
		$arguments + array(
			'timeout'             => 30,
			'redirection'         => 0,
			'limit_response_size' => 64 * KB_IN_BYTES,
			'headers'             => $headers + array( 'Authorization' => 'Bearer ' . consent_gate_token() ),
		)
	);
	if ( is_wp_error( $answer ) ) {
		return new WP_Error( 'consent_gate', 'The gate cannot be reached: ' . $answer->get_error_message() );
	}
	$code = (int) wp_remote_retrieve_response_code( $answer );
	if ( ( isset( $headers['Range'] ) ? 206 : 200 ) === $code ) {
		return wp_remote_retrieve_body( $answer );
	}
	$meanings = array(
		401 => 'The gate does not accept the token. Ask for a new one and enter it under Settings, School pictures.',
		404 => 'The gate has no such feed or picture. Compare the address of the feed with the one that you were given.',
		429 => 'The gate asks this site to send fewer requests. The next run tries again.',
	);
	return new WP_Error( 'consent_gate', $meanings[ $code ] ?? "The gate answered with the code $code." );
}

/** Whether a value is a file name of a feed: of a picture, or of a film. */
function consent_gate_is_file( $name ) {
	return is_string( $name ) && 1 === preg_match( '~^\d{4}-\d\d/[a-z2-7]{26}\.(jpg|mp4)$~D', $name );
}

/** Whether a file name is that of a film. */
function consent_gate_is_film( $name ) {
	return '.mp4' === substr( $name, -4 );
}

/** The file name of a film's poster: it differs in the ending alone. */
function consent_gate_poster_of( $film ) {
	return substr( $film, 0, -4 ) . '.jpg';
}

/** Whether a value is an identifier of a published picture. */
function consent_gate_is_id( $value ) {
	return is_string( $value ) && 1 === preg_match( '~^[a-z2-7]{26}$~D', $value );
}

/**
 * Reads the list of pictures. A list with one wrong entry is refused as a whole.
 *
 * A film has two entries here: the film, and its poster with the key 'poster_of'.
 *
 * @return array|WP_Error 'items' and 'withdrawn', each by file name.
 */
function consent_gate_read_list() {
	$body = consent_gate_request( '/manifest.json', array( 'limit_response_size' => CONSENT_GATE_MAX_LIST + 1 ) );
	if ( is_wp_error( $body ) ) {
		return $body;
	}
	$list = strlen( $body ) > CONSENT_GATE_MAX_LIST ? null : json_decode( $body, true, 16 );
	$wrong = new WP_Error( 'consent_gate', 'The answer of the gate is not a list of pictures. Check that the address of the feed is right.' );
	if ( ! is_array( $list ) || CONSENT_GATE_SCHEMA !== ( $list['schema'] ?? '' ) ) {
		return $wrong;
	}
	$found = array( 'items' => array(), 'withdrawn' => array() );
	foreach ( $found as $part => $nothing ) {
		if ( ! isset( $list[ $part ] ) || ! is_array( $list[ $part ] ) ) {
			return $wrong;
		}
		foreach ( $list[ $part ] as $entry ) {
			$checked = consent_gate_checked_entry( $entry, 'items' === $part );
			if ( null === $checked ) {
				return $wrong;
			}
			$found[ $part ][ $checked['file'] ] = $checked;
			if ( consent_gate_is_film( $checked['file'] ) ) {
				$poster = consent_gate_checked_poster( $checked, 'items' === $part ? $entry : null );
				if ( null === $poster ) {
					return $wrong;
				}
				$found[ $part ][ $poster['file'] ] = $poster;
			}
		}
	}
	$found['items'] = array_diff_key( $found['items'], $found['withdrawn'] );
	return $found;
}

/** The known fields of an entry of the list, or null if one is wrong. */
function consent_gate_checked_entry( $entry, $is_item ) {
	if ( ! is_array( $entry ) || ! consent_gate_is_file( $entry['file'] ?? null ) || ! consent_gate_is_id( $entry['id'] ?? null ) ) {
		return null;
	}
	$checked = array( 'id' => $entry['id'], 'file' => $entry['file'] );
	if ( ! $is_item ) {
		return $checked;
	}
	if ( ! is_string( $entry['sha256'] ?? null ) || ! preg_match( '~^[0-9a-f]{64}$~D', $entry['sha256'] ) ) {
		return null;
	}
	$checked['sha256'] = $entry['sha256'];
	foreach ( array( 'bytes', 'width', 'height' ) as $key ) {
		if ( ! is_int( $entry[ $key ] ?? null ) || $entry[ $key ] < 1 ) {
			return null;
		}
		$checked[ $key ] = $entry[ $key ];
	}
	foreach ( array( 'title', 'alt', 'album', 'released_at' ) as $key ) {
		$checked[ $key ] = is_string( $entry[ $key ] ?? null ) ? $entry[ $key ] : '';
	}
	return ( 'film' === ( $entry['kind'] ?? 'picture' ) ) === consent_gate_is_film( $entry['file'] ) ? $checked : null;
}

/** The entry of a film's poster, or null if it is wrong. $entry is the film's entry as the gate sent it. */
function consent_gate_checked_poster( array $film, $entry ) {
	$file = consent_gate_poster_of( $film['file'] );
	if ( null === $entry ) {
		return array( 'id' => $film['id'], 'file' => $file );
	}
	$poster = is_array( $entry['poster'] ?? null ) ? $entry['poster'] : array();
	unset( $entry['kind'] );
	if ( ( $poster['file'] ?? '' ) !== $file ) {
		return null;
	}
	$checked = consent_gate_checked_entry( $poster + $entry, true );
	return null === $checked ? null : $checked + array( 'poster_of' => $film['file'] );
}
