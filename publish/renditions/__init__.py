"""The files of one picture or film for each channel: what is made, by whom, and its proof."""
