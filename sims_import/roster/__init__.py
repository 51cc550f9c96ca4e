"""From rows of an export to one record for each pupil."""
