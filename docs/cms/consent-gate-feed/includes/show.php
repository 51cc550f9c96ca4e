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
		$path = consent_gate_folder() . '/' . $file;
		if ( ! is_file( $path ) || filesize( $path ) !== $item['bytes'] ) {
			continue;
		}
		$html .= sprintf(
			'<figure style="margin:0 0 1.5em"><img src="%s" alt="%s" width="%d" height="%d" loading="lazy" style="max-width:100%%;height:auto">%s</figure>',
			esc_url( $base . $file ),
			esc_attr( $item['alt'] ),
			$item['width'],
			$item['height'],
			'' === $item['title'] ? '' : '<figcaption>' . esc_html( $item['title'] ) . '</figcaption>'
		);
	}
	return '' === $html ? '' : '<div class="consent-gate-pictures">' . $html . '</div>';
}

/** The items that the attributes ask for, in their order. A wrong date selects nothing. */
function consent_gate_select( array $items, array $wanted ) {
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
