"""The only way out: rendering, verifying, releasing and recalling pictures."""
