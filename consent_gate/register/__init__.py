"""The consent register: who may be shown, by admission number."""
