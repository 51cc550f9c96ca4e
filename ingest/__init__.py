"""Taking photos in: folder, vault, decoding, faces, the analysis pipeline."""
