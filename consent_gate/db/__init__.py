"""The Django app with all tables of one home. Files and jobs are derived from its rows."""
