<?php
/**
 * The shortcode [consent_gate_pictures] and the block "School pictures".
 */

defined( 'ABSPATH' ) || exit;

/**
 * HTML of the pictures.
 *
 * @param array|string $attributes album, ids (separated by commas), limit, since (YYYY-MM-DD),
 *                                 order (newest or oldest).
 */
function consent_gate_show( $attributes = array() ) {
	$wanted = shortcode_atts(
		array( 'album' => '', 'ids' => '', 'limit' => '', 'since' => '', 'order' => 'newest' ),
		(array) $attributes,
		'consent_gate_pictures'
	);
	$items  = consent_gate_is_unheard() ? array() : consent_gate_select( consent_gate_get( CONSENT_GATE_PICTURES ), $wanted );
	$base   = wp_upload_dir( null, false )['baseurl'] . '/consent-gate/';
	$html   = '';
	foreach ( $items as $file => $item ) {
		$html .= consent_gate_figure( $file, $item, $base );
	}
	return '' === $html ? '' : '<div class="consent-gate-pictures">' . $html . '</div>';
}

/** HTML of one picture or film; empty if a file of it is not on the disk. */
function consent_gate_figure( $file, array $item, $base ) {
	$is_film = consent_gate_is_film( $file );
	$poster  = $is_film ? consent_gate_poster_of( $file ) : $file;
	$path    = consent_gate_folder() . '/' . $file;
	if ( ! is_file( $path ) || filesize( $path ) !== $item['bytes'] || ! is_file( consent_gate_folder() . '/' . $poster ) ) {
		return '';
	}
	$size = sprintf( 'width="%d" height="%d" style="max-width:100%%;height:auto"', $item['width'], $item['height'] );
	if ( $is_film ) {
		$shown = sprintf(
			'<video controls playsinline preload="none" poster="%s" aria-label="%s" %s><source src="%s" type="video/mp4"></video>',
			esc_url( $base . $poster ),
			esc_attr( $item['alt'] ),
			$size,
			esc_url( $base . $file )
		);
	} else {
		$shown = sprintf( '<img src="%s" alt="%s" loading="lazy" %s>', esc_url( $base . $file ), esc_attr( $item['alt'] ), $size );
	}
	$caption = '' === $item['title'] ? '' : '<figcaption>' . esc_html( $item['title'] ) . '</figcaption>';
	return '<figure style="margin:0 0 1.5em">' . $shown . $caption . '</figure>';
}

/** The items that the attributes ask for, in their order. A wrong date selects nothing. */
function consent_gate_select( array $items, array $wanted ) {
	$items = array_filter( $items, fn( $item ) => ! isset( $item['poster_of'] ) );
	$album = trim( (string) $wanted['album'] );
	if ( '' !== $album ) {
		$items = array_filter( $items, fn( $item ) => 0 === strcasecmp( $album, $item['album'] ) );
	}
	$ids = array_filter( array_map( 'trim', explode( ',', (string) $wanted['ids'] ) ) );
	if ( $ids ) {
		$items = array_filter( $items, fn( $item ) => in_array( $item['id'], $ids, true ) );
	}
	$since = trim( (string) $wanted['since'] );
	if ( '' !== $since ) {
		$is_date = preg_match( '~^\d{4}-\d\d-\d\d$~D', $since );
		$items   = $is_date ? array_filter( $items, fn( $item ) => $item['released_at'] >= $since ) : array();
	}
	uasort( $items, fn( $a, $b ) => array( $a['released_at'], $a['id'] ) <=> array( $b['released_at'], $b['id'] ) );
	if ( 'oldest' !== $wanted['order'] ) {
		$items = array_reverse( $items, true );
	}
	$limit = trim( (string) $wanted['limit'] );
	return '' === $limit ? $items : array_slice( $items, 0, max( 0, (int) $limit ), true );
}
