<?php
/**
 * Recognises copies of the feed's pictures: by their bytes, and by their coarse shades.
 *
 * A print has two parts, made from 16 x 16 shades. The first has 256 bits: is a shade lighter than
 * the median. The second has 480 bits: is a shade lighter than its left neighbour, or than the one
 * above it. Two pictures are the same when both parts differ in few bits. No picture can be made
 * from a print.
 */

defined( 'ABSPATH' ) || exit;

const CONSENT_GATE_GRID         = 96;  // Pixels of the reduced picture on each side.
const CONSENT_GATE_MAX_SHADES    = 48;  // Of 256 bits.
const CONSENT_GATE_MAX_NEIGHBOURS = 90; // Of 480 bits. A higher limit removes other pictures (wordpress.md).
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

/** The print of a part of the grid, as base64. Left, top, width and height are fractions of the picture. */
function consent_gate_print( array $grid, $left = 0.0, $top = 0.0, $width = 1.0, $height = 1.0 ) {
	$n      = CONSENT_GATE_GRID;
	$shades = array();
	for ( $row = 0; $row < 16; $row++ ) {
		for ( $column = 0; $column < 16; $column++ ) {
			$x0  = (int) round( $n * ( $left + $width * $column / 16 ) );
			$y0  = (int) round( $n * ( $top + $height * $row / 16 ) );
			$x1  = max( $x0 + 1, (int) round( $n * ( $left + $width * ( $column + 1 ) / 16 ) ) );
			$y1  = max( $y0 + 1, (int) round( $n * ( $top + $height * ( $row + 1 ) / 16 ) ) );
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
	foreach ( $shades as $shade ) {
		$bits .= $shade > $median ? '1' : '0';
	}
	foreach ( $shades as $n => $shade ) {
		$bits .= $n % 16 ? ( $shade > $shades[ $n - 1 ] ? '1' : '0' ) : '';
	}
	for ( $n = 16; $n < 256; $n++ ) {
		$bits .= $shades[ $n ] > $shades[ $n - 16 ] ? '1' : '0';
	}
	return base64_encode( implode( '', array_map( fn( $eight ) => chr( bindec( $eight ) ), str_split( $bits, 8 ) ) ) );
}

/** Prints of a feed's picture: the whole, and what is left of it when it is trimmed or cut to a common form. */
function consent_gate_prints_of_feed_picture( $data ) {
	$grid = consent_gate_grid( $data );
	if ( null === $grid ) {
		return array();
	}
	$size   = getimagesizefromstring( $data );
	$prints = array();
	foreach ( consent_gate_windows( $size[0] / $size[1] ) as $window ) {
		$prints[] = consent_gate_print( $grid, ...$window );
	}
	return array_values( array_unique( $prints ) );
}

/**
 * The parts of a picture whose prints are kept, as fractions: left, top, width, height.
 *
 * A print still matches when a side of the part is moved by about 4 percent of the picture. So the parts
 * lie about 5 to 8 percent apart.
 *
 * @param float $ratio Width of the picture divided by its height.
 */
function consent_gate_windows( $ratio ) {
	$windows = array( array( 0, 0, 1, 1 ) );
	foreach ( array( 0.94, 0.89, 0.84, 0.78, 0.72 ) as $part ) { // Cut at one side.
		array_push( $windows, array( 0, 0, $part, 1 ), array( 1 - $part, 0, $part, 1 ) );
		array_push( $windows, array( 0, 0, 1, $part ), array( 0, 1 - $part, 1, $part ) );
	}
	foreach ( array( 0.85, 0.7 ) as $part ) { // Cut at two opposite sides.
		array_push( $windows, array( ( 1 - $part ) / 2, 0, $part, 1 ), array( 0, ( 1 - $part ) / 2, 1, $part ) );
	}
	foreach ( array( 0.95, 0.9 ) as $part ) { // Cut in one corner, or all around.
		foreach ( array( array( 0, 0 ), array( 1, 0 ), array( 0, 1 ), array( 1, 1 ), array( 0.5, 0.5 ) ) as $at ) {
			$windows[] = array( ( 1 - $part ) * $at[0], ( 1 - $part ) * $at[1], $part, $part );
		}
	}
	foreach ( array( 0.8, 0.65 ) as $part ) {
		$windows[] = array( ( 1 - $part ) / 2, ( 1 - $part ) / 2, $part, $part );
	}
	foreach ( array( 16 / 9, 4 / 3, 1 ) as $form ) { // Cut to the form of a header, a photo or a tile.
		$part = min( $ratio, $form ) / max( $ratio, $form );
		foreach ( $part > 0.5 && $part < 0.97 ? array( 0, 0.25, 0.5, 0.75, 1 ) : array() as $at ) {
			$from      = ( 1 - $part ) * $at;
			$windows[] = $ratio > $form ? array( $from, 0, $part, 1 ) : array( 0, $from, 1, $part );
		}
	}
	return $windows;
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

/** What recognises a file. A film, or a file that is too large to be a picture, by its SHA-256 alone. */
function consent_gate_marks_of_file( $path ) {
	if ( filesize( $path ) <= 2 * CONSENT_GATE_MAX_PICTURE && 'ftyp' !== (string) file_get_contents( $path, false, null, 4, 4 ) ) {
		return consent_gate_marks_of_upload( (string) file_get_contents( $path ) );
	}
	return array(
		'sha256' => array( (string) hash_file( 'sha256', $path ) ),
		'prints' => array(),
	);
}

/** Number of different bits of two parts of prints, as bytes. */
function consent_gate_distance( $one, $other ) {
	static $bytes = null, $counts = '';
	if ( null === $bytes ) {
		$bytes = implode( '', array_map( 'chr', range( 0, 255 ) ) );
		foreach ( range( 0, 255 ) as $byte ) {
			$counts .= chr( substr_count( decbin( $byte ), '1' ) );
		}
	}
	$distance = 0;
	foreach ( count_chars( strtr( $one ^ $other, $bytes, $counts ), 1 ) as $bits => $times ) {
		$distance += $bits * $times;
	}
	return $distance;
}

/** Whether two prints, as bytes, are of the same picture. */
function consent_gate_is_same( $one, $other ) {
	return strlen( $one ) === strlen( $other )
		&& consent_gate_distance( substr( $one, 0, 32 ), substr( $other, 0, 32 ) ) <= CONSENT_GATE_MAX_SHADES
		&& consent_gate_distance( substr( $one, 32 ), substr( $other, 32 ) ) <= CONSENT_GATE_MAX_NEIGHBOURS;
}

/**
 * The file of the feed's picture that an upload shows, or null.
 *
 * @param array $marks As consent_gate_marks_of_upload() gives them.
 * @param array $known Pictures of the feed, by file.
 */
function consent_gate_find_picture( array $marks, array $known ) {
	$uploaded = array_filter( array_map( fn( $print ) => base64_decode( $print, true ), $marks['prints'] ) );
	foreach ( $known as $file => $picture ) {
		if ( in_array( $picture['sha256'] ?? '', $marks['sha256'], true ) ) {
			return $file;
		}
		foreach ( $picture['prints'] ?? array() as $print ) {
			$print = (string) base64_decode( $print, true );
			foreach ( $uploaded as $other ) {
				if ( consent_gate_is_same( $print, $other ) ) {
					return $file;
				}
			}
		}
	}
	return null;
}
