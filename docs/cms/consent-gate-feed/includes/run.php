<?php
/**
 * One run: read the list, remove what it does not list, confirm, then fetch what is new.
 */

defined( 'ABSPATH' ) || exit;

/** Runs once, unless another run of this network is under way. */
function consent_gate_run() {
	global $wpdb;
	// The database releases the lock by itself when the program that holds it ends.
	$lock = 'consent_gate_' . md5( DB_NAME . $wpdb->base_prefix );
	if ( '1' !== (string) $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, 0)', $lock ) ) ) {
		return;
	}
	try {
		wp_cache_delete( 'alloptions', 'options' );
		foreach ( array( CONSENT_GATE_PICTURES, CONSENT_GATE_KNOWN, CONSENT_GATE_CLEANED, CONSENT_GATE_STATUS ) as $option ) {
			wp_cache_delete( $option, 'options' ); // What another run saved while this one started.
		}
		$problem           = consent_gate_run_alone();
		$status            = consent_gate_get( CONSENT_GATE_STATUS );
		$status['problem'] = is_wp_error( $problem ) ? $problem->get_error_message() : '';
		$status['tried']   = time();
		consent_gate_save( CONSENT_GATE_STATUS, $status );
		if ( consent_gate_is_unheard() ) {
			consent_gate_hide_all();
		}
	} finally {
		$wpdb->query( $wpdb->prepare( 'SELECT RELEASE_LOCK(%s)', $lock ) );
	}
}

/** The steps of a run. Returns null, or a WP_Error with what the web manager has to know. */
function consent_gate_run_alone() {
	$list = consent_gate_read_list();
	if ( is_wp_error( $list ) ) {
		return $list;
	}
	$status          = consent_gate_get( CONSENT_GATE_STATUS );
	$status['heard'] = time();
	consent_gate_save( CONSENT_GATE_STATUS, $status );
	$confirmed = array_intersect_key( consent_gate_get( CONSENT_GATE_CLEANED ), array_column( $list['withdrawn'], null, 'id' ) );
	$listed    = array_filter( $list['items'], fn( $item ) => ! isset( $confirmed[ $item['id'] ] ) );
	$removed   = consent_gate_remove_unlisted( $list['withdrawn'], $listed, $confirmed );
	$told      = is_wp_error( $removed ) ? $removed : consent_gate_confirm( $list['withdrawn'], $confirmed );
	$fetched   = consent_gate_fetch_listed( $listed );
	return is_wp_error( $told ) ? $told : $fetched;
}

/** Removes from the pages, the disk and the libraries of all sites what is not listed any more. */
function consent_gate_remove_unlisted( array $withdrawn, array $listed, array $confirmed ) {
	consent_gate_save( CONSENT_GATE_PICTURES, array_intersect_key( consent_gate_get( CONSENT_GATE_PICTURES ), $listed ) );
	$clean = true;
	foreach ( consent_gate_files_on_disk() as $file ) {
		$film = preg_replace( '~\.part$~', '', $file ); // The next run continues a film.
		if ( ! isset( $listed[ $file ] ) && ! ( isset( $listed[ $film ] ) && consent_gate_is_film( $film ) ) ) {
			$clean = consent_gate_delete( consent_gate_folder() . '/' . $file ) && $clean;
		}
	}
	$known = consent_gate_get( CONSENT_GATE_KNOWN );
	$gone  = array_filter( $withdrawn, fn( $entry ) => ! isset( $confirmed[ $entry['id'] ] ) );
	$gone += array_diff_key( $known, $listed, $withdrawn );
	$clean = ! in_array( false, consent_gate_on_each_site( 'consent_gate_remove_gone', $gone, $known ), true ) && $clean;
	if ( ! $clean ) {
		return new WP_Error( 'consent_gate', 'Copies of a withdrawn picture could not be removed yet. The next run tries again. Check that WordPress may delete files in its uploads folder.' );
	}
	// Marks of a withdrawn picture stay as long as the list names it, to refuse its copies.
	consent_gate_save( CONSENT_GATE_KNOWN, array_intersect_key( $known, $listed + $withdrawn ) );
	if ( $gone ) {
		consent_gate_empty_caches();
	}
	return true;
}

/**
 * Removes pictures from one site: file, copies in the library, posts.
 *
 * @param array $gone  What to remove, by file.
 * @param array $known What recognises the pictures of the site that runs, by file.
 * @return bool Whether nothing of them is left on this site.
 */
function consent_gate_remove_gone( array $gone, array $known ) {
	$scanned = consent_gate_scan_library();
	if ( ! $gone ) {
		return true; // An unfinished scan matters only when something has to be found.
	}
	$shown = consent_gate_get( CONSENT_GATE_PICTURES );
	$clean = consent_gate_save( CONSENT_GATE_PICTURES, array_diff_key( $shown, $gone ) ) && $scanned;
	$stems = array();
	foreach ( $gone as $file => $entry ) {
		$stems[] = 'consent-gate/' . substr( $file, 0, -4 );
		$clean   = consent_gate_delete( consent_gate_folder() . '/' . $file ) && $clean;
		$clean   = consent_gate_delete( consent_gate_folder() . "/$file.part" ) && $clean;
	}
	foreach ( array_chunk( array_unique( $stems ), 50 ) as $some ) {
		consent_gate_remove_from_posts( $some, array() );
	}
	$marks = array_intersect_key( $known + consent_gate_get( CONSENT_GATE_KNOWN ), $gone );
	foreach ( $marks ? consent_gate_attachments_showing( $marks ) : array() as $id ) {
		$clean = consent_gate_remove_attachment( $id ) && $clean;
	}
	return $clean;
}

/** Tells the gate which withdrawn pictures are gone. */
function consent_gate_confirm( array $withdrawn, array $confirmed ) {
	$problem = null;
	foreach ( $withdrawn as $entry ) {
		if ( isset( $confirmed[ $entry['id'] ] ) ) {
			continue;
		}
		$answer = consent_gate_request( "/withdrawn/{$entry['id']}/confirm", array( 'method' => 'POST' ) );
		if ( is_wp_error( $answer ) ) {
			$problem = $answer;
			break;
		}
		$confirmed[ $entry['id'] ] = true;
	}
	consent_gate_save( CONSENT_GATE_CLEANED, $confirmed );
	return $problem;
}

/** Fetches new pictures, and shows those that are whole on the disk. */
function consent_gate_fetch_listed( array $listed ) {
	$known   = consent_gate_get( CONSENT_GATE_KNOWN );
	$shown   = array();
	$problem = null;
	$end     = time() + 50;
	foreach ( $listed as $file => $item ) {
		$path    = consent_gate_folder() . '/' . $file;
		$on_disk = consent_gate_exists( $path );
		if ( ! $on_disk && time() > $end ) {
			continue; // The next run goes on.
		}
		$is_film  = consent_gate_is_film( $file );
		$is_known = isset( $known[ $file ] ) && $known[ $file ]['sha256'] === $item['sha256'];
		$stamp    = $is_known ? ( $known[ $file ]['stamp'] ?? '' ) : '';
		$is_whole = $is_film ? consent_gate_fetch_film( $item, $stamp, $end ) : consent_gate_fetch( $item );
		if ( true !== $is_whole ) {
			$problem = is_wp_error( $is_whole ) ? $is_whole : $problem;
			continue;
		}
		if ( ! $is_known ) {
			$known[ $file ] = array(
				'id'     => $item['id'],
				'file'   => $file,
				'sha256' => $item['sha256'],
				'prints' => $is_film ? array() : consent_gate_prints_of_feed_picture( (string) file_get_contents( $path ) ),
			);
		}
		if ( $is_film ) {
			$known[ $file ]['stamp'] = consent_gate_stamp( $path );
		}
		$shown[ $file ] = $item;
	}
	// A film is shown with its poster or not at all.
	$shown = array_filter( $shown, fn( $item ) => ! consent_gate_is_film( $item['file'] ) || isset( $shown[ consent_gate_poster_of( $item['file'] ) ] ) );
	// A picture is shown only after what recognises its copies is stored.
	if ( ! consent_gate_save( CONSENT_GATE_KNOWN, $known ) ) {
		return new WP_Error( 'consent_gate', 'The database does not store which pictures were fetched. No new picture is shown.' );
	}
	$before = consent_gate_get( CONSENT_GATE_PICTURES );
	consent_gate_save( CONSENT_GATE_PICTURES, $shown );
	if ( $before != $shown ) { // phpcs:ignore -- the order of keys does not matter.
		consent_gate_empty_caches();
	}
	return $problem;
}

/** Hides all pictures of this site, when the gate was not heard for too long. */
function consent_gate_hide_all() {
	if ( consent_gate_get( CONSENT_GATE_PICTURES ) ) {
		consent_gate_save( CONSENT_GATE_PICTURES, array() );
		consent_gate_empty_caches();
	}
	foreach ( consent_gate_files_on_disk() as $file ) {
		consent_gate_delete( consent_gate_folder() . '/' . $file );
	}
}

/** Removes the pictures, their copies and the schedule from this site. */
function consent_gate_remove_everything() {
	wp_clear_scheduled_hook( CONSENT_GATE_EVENT );
	consent_gate_hide_all();
	$known = consent_gate_get( CONSENT_GATE_KNOWN );
	consent_gate_remove_gone( $known, $known );
	foreach ( glob( consent_gate_folder() . '/*', GLOB_ONLYDIR ) ?: array() as $month ) {
		@rmdir( $month ); // phpcs:ignore -- only empty folders go.
	}
	@rmdir( consent_gate_folder() ); // phpcs:ignore
}

/** Asks the known page caches to forget their pages. Others can use the action. */
function consent_gate_empty_caches() {
	foreach ( array( 'wp_cache_clear_cache', 'w3tc_flush_all', 'rocket_clean_domain', 'sg_cachepress_purge_cache' ) as $purge ) {
		if ( function_exists( $purge ) ) {
			$purge();
		}
	}
	do_action( 'litespeed_purge_all' );
	do_action( 'consent_gate_pictures_changed' );
}
