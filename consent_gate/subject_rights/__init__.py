"""A pupil's rights: access, erasure, and lifting a never-publish mark."""
