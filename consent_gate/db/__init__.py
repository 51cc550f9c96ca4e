"""The state of one home, as a Django app: the database row is the truth and the work list."""
