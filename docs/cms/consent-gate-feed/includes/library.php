<?php
/**
 * Keeps copies of the feed's pictures out of the media library, and removes those that are in it.
 */

defined( 'ABSPATH' ) || exit;

const CONSENT_GATE_SCAN         = '_consent_gate_scan';         // What recognises the attachment.
const CONSENT_GATE_SCANNED_FILE = '_consent_gate_scanned_file'; // The attached file when it was read.
const CONSENT_GATE_REFUSAL      = 'This picture or film comes from the school\'s picture feed, or looks like one that does. A copy would stay here when a parent withdraws consent. Use the block "School pictures" or the shortcode [consent_gate_pictures] instead.';

add_filter( 'wp_handle_upload_prefilter', 'consent_gate_refuse_upload' );
add_filter( 'wp_handle_sideload_prefilter', 'consent_gate_refuse_upload' );
add_filter( 'wp_upload_bits', 'consent_gate_refuse_bits' );
add_action( 'add_attachment', 'consent_gate_scan_attachment' );
add_filter( 'wp_update_attachment_metadata', 'consent_gate_scan_with_metadata', 10, 2 );

/** Refuses an upload from a form, the REST interface, or an address. */
function consent_gate_refuse_upload( $file ) {
	$path = $file['tmp_name'] ?? '';
	if ( empty( $file['error'] ) && is_string( $path ) && is_readable( $path ) ) {
		if ( consent_gate_is_known( consent_gate_marks_of_file( $path ) ) ) {
			$file['error'] = CONSENT_GATE_REFUSAL;
		}
	}
	return $file;
}

/** Refuses an upload that arrives as bytes, such as by XML-RPC. */
function consent_gate_refuse_bits( $upload ) {
	if ( is_array( $upload ) && isset( $upload['bits'] ) && consent_gate_is_known( consent_gate_marks_of_upload( (string) $upload['bits'] ) ) ) {
		return CONSENT_GATE_REFUSAL;
	}
	return $upload;
}

/** Whether these marks are of a picture or film that the feed listed on any site of the network. */
function consent_gate_is_known( array $marks ) {
	return null !== consent_gate_find_picture( $marks, consent_gate_known_everywhere() );
}

/** The feed's pictures of all sites of the network, by file. */
function consent_gate_known_everywhere() {
	return array_merge( ...consent_gate_on_each_site( 'consent_gate_get', CONSENT_GATE_KNOWN ) );
}

/** Paths of an attachment's file and of the original that WordPress scaled or edited. */
function consent_gate_attachment_paths( $id ) {
	return array_unique( array_filter( array( get_attached_file( $id, true ), wp_get_original_image_path( $id, true ) ) ) );
}

/** Records what recognises an attachment, with what recognises the one that it was cropped from. */
function consent_gate_scan_attachment( $id, $metadata = null ) {
	$marks = array( 'sha256' => array(), 'prints' => array() );
	foreach ( consent_gate_attachment_paths( $id ) as $path ) {
		if ( is_readable( $path ) ) {
			$marks = array_merge_recursive( $marks, consent_gate_marks_of_file( $path ) );
		}
	}
	$metadata = $metadata ?? wp_get_attachment_metadata( $id, true );
	$parents  = array( $id, (int) ( $metadata['parent_image']['attachment_id'] ?? 0 ) );
	$name     = basename( (string) get_attached_file( $id, true ) );
	if ( 0 === strpos( $name, 'cropped-' ) ) {
		$parents = array_merge( $parents, consent_gate_attachments_of_file( substr( $name, 8 ) ) );
	}
	foreach ( $parents as $parent ) {
		$of_parent = $parent ? get_post_meta( $parent, CONSENT_GATE_SCAN, true ) : null;
		$marks     = is_array( $of_parent ) ? array_merge_recursive( $marks, $of_parent ) : $marks;
	}
	$marks = array_map( 'array_values', array_map( 'array_unique', $marks ) );
	update_post_meta( $id, CONSENT_GATE_SCAN, $marks );
	update_post_meta( $id, CONSENT_GATE_SCANNED_FILE, (string) get_post_meta( $id, '_wp_attached_file', true ) );
}

/** Reads an attachment again when WordPress edited it or made it from another. */
function consent_gate_scan_with_metadata( $metadata, $id ) {
	if ( is_array( $metadata ) && isset( $metadata['parent_image'] ) ) {
		consent_gate_scan_attachment( $id, $metadata );
	}
	return $metadata;
}

/** Attachments whose file has this name in any month's folder. */
function consent_gate_attachments_of_file( $name ) {
	global $wpdb;
	$like = '%/' . $wpdb->esc_like( $name );
	$sql  = "SELECT post_id FROM $wpdb->postmeta WHERE meta_key = '_wp_attached_file' AND ( meta_value LIKE %s OR meta_value = %s )";
	return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( $sql, $like, $name ) ) ); // phpcs:ignore
}

/**
 * Reads attachments that were never read or whose file changed, for at most some seconds.
 *
 * @return bool Whether none is left.
 */
function consent_gate_scan_library( $seconds = 20 ) {
	global $wpdb;
	$end = microtime( true ) + $seconds;
	$sql = "SELECT p.ID FROM $wpdb->posts p
		JOIN $wpdb->postmeta f ON f.post_id = p.ID AND f.meta_key = '_wp_attached_file'
		LEFT JOIN $wpdb->postmeta s ON s.post_id = p.ID AND s.meta_key = %s
		WHERE p.post_type = 'attachment' AND ( p.post_mime_type LIKE %s OR p.post_mime_type LIKE %s ) AND ( s.meta_value IS NULL OR s.meta_value <> f.meta_value )";
	foreach ( $wpdb->get_col( $wpdb->prepare( $sql, CONSENT_GATE_SCANNED_FILE, 'image/%', 'video/%' ) ) as $id ) { // phpcs:ignore
		if ( microtime( true ) > $end ) {
			return false;
		}
		consent_gate_scan_attachment( (int) $id );
	}
	return '' === $wpdb->last_error;
}

/** Attachments of this site that show one of these pictures of the feed. */
function consent_gate_attachments_showing( array $pictures ) {
	global $wpdb;
	$found = array();
	$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT post_id, meta_value FROM $wpdb->postmeta WHERE meta_key = %s", CONSENT_GATE_SCAN ) );
	foreach ( $rows as $row ) {
		$marks = maybe_unserialize( $row->meta_value );
		if ( is_array( $marks ) && null !== consent_gate_find_picture( $marks, $pictures ) ) {
			$found[] = (int) $row->post_id;
		}
	}
	return $found;
}

/** Name of an attachment's file below uploads, without what WordPress appends to it. */
function consent_gate_stem( $id ) {
	$file = (string) get_post_meta( $id, '_wp_attached_file', true );
	$stem = preg_replace( '~\.[a-z0-9]+$~i', '', $file );
	return preg_replace( '~(-scaled|-rotated)?(-e\d{10,})?(-scaled|-rotated)?$~', '', $stem );
}

/**
 * Deletes an attachment, all its files, and its uses as a featured image and in posts.
 *
 * @return bool Whether nothing of it is left.
 */
function consent_gate_remove_attachment( $id ) {
	$stem  = consent_gate_stem( $id );
	$paths = consent_gate_attachment_paths( $id );
	consent_gate_remove_from_posts( array( $stem ), array( $id ) );
	wp_delete_attachment( $id, true );
	$folder = wp_upload_dir( null, false )['basedir'] . '/' . dirname( $stem );
	$other  = '~^' . preg_quote( basename( $stem ), '~' ) . '((-scaled|-rotated)?(-e\d{10,})?(-scaled|-rotated)?(-\d+x\d+)?)\.[a-z0-9]+$~i';
	foreach ( is_dir( $folder ) ? scandir( $folder ) : array() as $name ) {
		if ( preg_match( $other, $name ) && ! consent_gate_attachments_of_file( $name ) ) {
			$paths[] = "$folder/$name";
		}
	}
	$gone = ! get_post( $id ) instanceof WP_Post;
	foreach ( array_unique( $paths ) as $path ) {
		$gone = consent_gate_delete( $path ) && $gone;
	}
	return $gone;
}
