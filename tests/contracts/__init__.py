"""What every implementation of a protocol must do: one class each, all implementations under it."""
