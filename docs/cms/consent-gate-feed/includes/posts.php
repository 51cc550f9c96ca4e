<?php
/**
 * Removes withdrawn pictures and films from the text of posts, pages, revisions and block widgets.
 */

defined( 'ABSPATH' ) || exit;

/**
 * Removes images from everything that this site shows as text.
 *
 * @param string[] $stems File names below uploads, without sizes and ending.
 * @param int[]    $ids   Attachments.
 */
function consent_gate_remove_from_posts( array $stems, array $ids ) {
	global $wpdb;
	$wanted = array( '1=0' );
	foreach ( array_filter( $stems ) as $stem ) {
		$wanted[] = $wpdb->prepare( 'post_content LIKE %s', '%' . $wpdb->esc_like( $stem ) . '%' );
	}
	foreach ( $ids as $id ) {
		$wanted[] = $wpdb->prepare( 'post_content LIKE %s', '%wp-image-' . (int) $id . '%' );
	}
	$rows = $wpdb->get_results( "SELECT ID, post_content FROM $wpdb->posts WHERE " . implode( ' OR ', $wanted ) ); // phpcs:ignore
	foreach ( $rows as $row ) {
		$content = consent_gate_without_images( $row->post_content, $stems, $ids );
		if ( $content !== $row->post_content ) {
			// Not wp_update_post(): it would store the old text as a revision.
			$wpdb->update( $wpdb->posts, array( 'post_content' => $content ), array( 'ID' => $row->ID ) );
			clean_post_cache( (int) $row->ID );
		}
	}
	$widgets = get_option( 'widget_block' );
	if ( is_array( $widgets ) ) {
		foreach ( $widgets as $key => $widget ) {
			if ( is_array( $widget ) && isset( $widget['content'] ) ) {
				$widgets[ $key ]['content'] = consent_gate_without_images( $widget['content'], $stems, $ids );
			}
		}
		update_option( 'widget_block', $widgets );
	}
}

/** The text without the images and films: their own blocks go as a whole, other blocks keep their words. */
function consent_gate_without_images( $content, array $stems, array $ids ) {
	if ( ! has_blocks( $content ) ) {
		return consent_gate_strip_images( $content, $stems, $ids );
	}
	$blocks = array();
	foreach ( parse_blocks( $content ) as $block ) {
		$block    = consent_gate_clean_block( $block, $stems, $ids );
		$blocks[] = null === $block ? '' : serialize_block( $block );
	}
	return implode( '', $blocks );
}

/** A block without the images, or null if it was one of them. */
function consent_gate_clean_block( array $block, array $stems, array $ids ) {
	$shows = in_array( (int) ( $block['attrs']['id'] ?? 0 ), $ids, true )
		|| consent_gate_strip_images( $block['innerHTML'], $stems, $ids ) !== $block['innerHTML'];
	if ( in_array( $block['blockName'], array( 'core/image', 'core/video', 'core/file' ), true ) && $shows ) {
		return null;
	}
	foreach ( array( 'id', 'mediaId' ) as $key ) {
		if ( in_array( (int) ( $block['attrs'][ $key ] ?? 0 ), $ids, true ) ) {
			unset( $block['attrs'][ $key ] );
		}
	}
	if ( is_array( $block['attrs']['ids'] ?? null ) ) {
		$block['attrs']['ids'] = array_values( array_diff( $block['attrs']['ids'], $ids ) );
	}
	foreach ( $block['attrs'] as $key => $value ) {
		if ( is_string( $value ) && consent_gate_strip_images( $value, $stems, $ids ) !== $value ) {
			unset( $block['attrs'][ $key ] );
		}
	}
	$inner  = $block['innerBlocks'];
	$chunks = array();
	$kept   = array();
	foreach ( $block['innerContent'] as $chunk ) {
		if ( is_string( $chunk ) ) {
			$chunks[] = consent_gate_strip_images( $chunk, $stems, $ids );
			continue;
		}
		$child = consent_gate_clean_block( array_shift( $inner ), $stems, $ids );
		if ( null !== $child ) {
			$kept[]   = $child;
			$chunks[] = null;
		}
	}
	$block['innerBlocks']  = $kept;
	$block['innerContent'] = $chunks;
	return $block;
}

/** HTML without the tags and addresses of the images. */
function consent_gate_strip_images( $html, array $stems, array $ids ) {
	$marks = array();
	foreach ( array_filter( $stems ) as $stem ) {
		$marks[] = preg_quote( $stem, '~' ) . '(?:-scaled|-rotated)?(?:-e\d{10,})?(?:-scaled|-rotated)?(?:-\d+x\d+)?\.[a-z0-9]+';
	}
	$addresses = $marks;
	foreach ( $ids as $id ) {
		$marks[] = 'wp-image-' . (int) $id . '(?!\d)';
	}
	if ( ! $marks ) {
		return $html;
	}
	if ( $addresses ) {
		$html = consent_gate_strip_films( $html, implode( '|', $addresses ) );
	}
	$image = '<img\b[^>]*(?:' . implode( '|', $marks ) . ')[^>]*>';
	// Possessive groups: a long text without the end of a figure or caption is passed over once.
	$rules = array(
		'~\[caption[^\]]*\]\s*(?:<a\b[^>]*>\s*)?' . $image . '[^\[]*+(?:\[(?!/caption\])[^\[]*+)*+\[/caption\]~i',
		'~<figure\b[^>]*>\s*(?:<a\b[^>]*>\s*)?' . $image . '[^<]*+(?:<(?!/?figure)[^<]*+)*+</figure>~i',
		'~<a\b[^>]*>\s*' . $image . '\s*</a>~is',
		'~' . $image . '~is',
	);
	if ( $addresses ) {
		$rules[] = '~(?:https?:)?[^\s"\'()<>]*(?:' . implode( '|', $addresses ) . ')~i';
	}
	$stripped = preg_replace( $rules, '', $html );
	return null === $stripped ? '' : $stripped;
}

/** HTML without the video elements and shortcodes in which one of the addresses is. */
function consent_gate_strip_films( $html, $addresses ) {
	$players  = array(
		'~\[video\b[^\]]*+\](?:[^\[]*+\[/video\])?~i',
		'~<video\b[^<]*+(?:<(?!/video)[^<]*+)*+</video>~i',
	);
	$stripped = preg_replace_callback( $players, fn( $found ) => preg_match( "~$addresses~i", $found[0] ) ? '' : $found[0], $html );
	return null === $stripped ? '' : $stripped;
}
