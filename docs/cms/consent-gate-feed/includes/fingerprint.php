<?php
/**
 * Recognises copies of the feed's pictures: by their bytes, and by their coarse shades.
 *
 * A print is the signs of 16 x 16 shades against their median, 256 bits. No picture can be made
 * from it.
 */

defined( 'ABSPATH' ) || exit;

const CONSENT_GATE_GRID         = 96;  // Pixels of the reduced picture on each side.
const CONSENT_GATE_MAX_DISTANCE = 16;  // Of 256 bits. A higher limit removes other pictures (wordpress.md).
const CONSENT_GATE_MAX_PIXELS   = 60000000;

/** The shades of a picture as CONSENT_GATE_GRID rows, or null if it cannot be decoded or is blank. */
function consent_gate_grid( $data ) {
	$size = function_exists( 'imagecreatefromstring' ) ? @getimagesizefromstring( $data ) : false; // phpcs:ignore
	if ( ! $size || $size[0] * $size[1] > CONSENT_GATE_MAX_PIXELS ) {
		return null;
	}
	wp_raise_memory_limit( 'image' );
	$image = @imagecreatefromstring( $data ); // phpcs:ignore
	if ( ! $image ) {
		return null;
	}
	$n     = CONSENT_GATE_GRID;
	$small = imagecreatetruecolor( $n, $n );
	imagefill( $small, 0, 0, 0xFFFFFF );
	imagecopyresampled( $small, $image, 0, 0, 0, 0, $n, $n, imagesx( $image ), imagesy( $image ) );
	imagedestroy( $image );
	$rows = array();
	for ( $y = 0; $y < $n; $y++ ) {
		for ( $x = 0; $x < $n; $x++ ) {
			$c                 = imagecolorat( $small, $x, $y );
			$rows[ $y ][ $x ] = ( 299 * ( $c >> 16 & 255 ) + 587 * ( $c >> 8 & 255 ) + 114 * ( $c & 255 ) ) / 1000;
		}
	}
	imagedestroy( $small );
	$all = array_merge( ...$rows );
	return max( $all ) - min( $all ) < 24 ? null : $rows;
}

/** The print of a part of the grid: left, top and side are fractions of the picture. */
function consent_gate_print( array $grid, $left = 0.0, $top = 0.0, $side = 1.0 ) {
	$n      = CONSENT_GATE_GRID;
	$shades = array();
	for ( $row = 0; $row < 16; $row++ ) {
		for ( $column = 0; $column < 16; $column++ ) {
			$x0  = (int) round( $n * ( $left + $side * $column / 16 ) );
			$y0  = (int) round( $n * ( $top + $side * $row / 16 ) );
			$x1  = max( $x0 + 1, (int) round( $n * ( $left + $side * ( $column + 1 ) / 16 ) ) );
			$y1  = max( $y0 + 1, (int) round( $n * ( $top + $side * ( $row + 1 ) / 16 ) ) );
			$sum = 0;
			for ( $y = $y0; $y < $y1; $y++ ) {
				$sum += array_sum( array_slice( $grid[ $y ], $x0, $x1 - $x0 ) );
			}
			$shades[] = $sum / ( ( $x1 - $x0 ) * ( $y1 - $y0 ) );
		}
	}
	$sorted = $shades;
	sort( $sorted );
	$median = ( $sorted[127] + $sorted[128] ) / 2;
	$bits   = '';
	foreach ( array_chunk( $shades, 4 ) as $four ) {
		$digit = 0;
		foreach ( $four as $shade ) {
			$digit = 2 * $digit + ( $shade > $median ? 1 : 0 );
		}
		$bits .= dechex( $digit );
	}
	return $bits;
}

/** Prints of a feed's picture: the whole, and parts of 80 and 65 percent at corners and centre. */
function consent_gate_prints_of_feed_picture( $data ) {
	$grid = consent_gate_grid( $data );
	if ( null === $grid ) {
		return array();
	}
	$prints = array( consent_gate_print( $grid ) );
	foreach ( array( 0.9, 0.8, 0.65 ) as $side ) {
		$rest = 1 - $side;
		foreach ( array( array( 0, 0 ), array( 1, 0 ), array( 0, 1 ), array( 1, 1 ), array( 0.5, 0.5 ) ) as $at ) {
			$prints[] = consent_gate_print( $grid, $rest * $at[0], $rest * $at[1], $side );
		}
	}
	return $prints;
}

/** Prints of an uploaded picture: upright, turned and mirrored. */
function consent_gate_prints_of_upload( $data ) {
	$grid   = consent_gate_grid( $data );
	$prints = array();
	for ( $turn = 0; null !== $grid && $turn < 4; $turn++ ) {
		$prints[] = consent_gate_print( $grid );
		$prints[] = consent_gate_print( array_map( 'array_reverse', $grid ) );
		$grid     = array_map( null, ...array_reverse( $grid ) );
	}
	return $prints;
}

/** What recognises an uploaded file: the SHA-256 of its bytes, and its prints. */
function consent_gate_marks_of_upload( $data ) {
	return array(
		'sha256' => array( hash( 'sha256', $data ) ),
		'prints' => consent_gate_prints_of_upload( $data ),
	);
}

/** Number of different bits of two prints. */
function consent_gate_distance( $one, $other ) {
	static $bits = null;
	if ( null === $bits ) {
		for ( $byte = 0; $byte < 256; $byte++ ) {
			$bits[ $byte ] = substr_count( decbin( $byte ), '1' );
		}
	}
	$distance = 0;
	foreach ( count_chars( hex2bin( $one ) ^ hex2bin( $other ), 1 ) as $byte => $count ) {
		$distance += $bits[ $byte ] * $count;
	}
	return $distance;
}

/**
 * The file of the feed's picture that an upload shows, or null.
 *
 * @param array $marks As consent_gate_marks_of_upload() gives them.
 * @param array $known Pictures of the feed, by file.
 */
function consent_gate_find_picture( array $marks, array $known ) {
	foreach ( $known as $file => $picture ) {
		if ( in_array( $picture['sha256'] ?? '', $marks['sha256'], true ) ) {
			return $file;
		}
		foreach ( $picture['prints'] ?? array() as $print ) {
			foreach ( $marks['prints'] as $other ) {
				if ( consent_gate_distance( $print, $other ) <= CONSENT_GATE_MAX_DISTANCE ) {
					return $file;
				}
			}
		}
	}
	return null;
}
