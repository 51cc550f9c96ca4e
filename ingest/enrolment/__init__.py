"""From portraits to face templates."""
