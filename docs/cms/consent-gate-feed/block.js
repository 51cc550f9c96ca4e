/* The block "School pictures". The server renders it, so no picture is stored in the post. */
( function ( wp ) {
	var el = wp.element.createElement;
	var controls = wp.components;

	wp.blocks.registerBlockType( 'consent-gate/pictures', {
		apiVersion: 2,
		title: 'School pictures',
		category: 'media',
		icon: 'format-gallery',
		attributes: {
			album: { type: 'string', default: '' },
			ids: { type: 'string', default: '' },
			limit: { type: 'string', default: '' },
			since: { type: 'string', default: '' },
			order: { type: 'string', default: 'newest' },
		},
		edit: function ( props ) {
			function field( name, label ) {
				return el( controls.TextControl, {
					key: name,
					label: label,
					value: props.attributes[ name ],
					onChange: function ( value ) {
						var change = {};
						change[ name ] = value;
						props.setAttributes( change );
					},
				} );
			}
			return el(
				'div',
				wp.blockEditor.useBlockProps(),
				el(
					wp.blockEditor.InspectorControls,
					null,
					el(
						controls.PanelBody,
						{ title: 'Which pictures' },
						field( 'album', 'Album' ),
						field( 'ids', 'Identifiers, separated by commas' ),
						field( 'limit', 'At most' ),
						field( 'since', 'Released since (YYYY-MM-DD)' ),
						el( controls.SelectControl, {
							label: 'Order',
							value: props.attributes.order,
							options: [
								{ label: 'Newest first', value: 'newest' },
								{ label: 'Oldest first', value: 'oldest' },
							],
							onChange: function ( value ) {
								props.setAttributes( { order: value } );
							},
						} )
					)
				),
				el( wp.serverSideRender, {
					block: 'consent-gate/pictures',
					attributes: props.attributes,
				} )
			);
		},
		save: function () {
			return null;
		},
	} );
} )( window.wp );
