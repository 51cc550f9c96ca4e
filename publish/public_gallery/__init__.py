"""The public gallery: pages of a channel's approved pictures, without a copy anywhere."""
