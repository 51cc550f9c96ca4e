"""Which roles may do what, by group: pages, letters and two-person rules ask the same sets.

Roles follow the people of a school: the office brings photos and exports in, reviewers decide,
the safeguarding lead and the data protection officer watch over it, the administrator looks after
accounts, the technician after the machine.
"""

from consent_gate.db.models.accounts import Role

LEAD, OFFICER = Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER

ALL_ROLES = frozenset(Role)
REVIEW_ROLES = frozenset({Role.REVIEWER, LEAD, Role.ADMINISTRATOR})
"""See pictures that wait, and decide on them."""
PUPIL_ROLES = frozenset({Role.OFFICE, LEAD, OFFICER, Role.ADMINISTRATOR})
"""See the pages about pupils."""
RECALL_ROLES = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
"""Recall published pictures by pupil."""
IMPORT_ROLES = frozenset({Role.OFFICE, Role.ADMINISTRATOR})
"""Import exports of SIMS."""
OVERSIGHT_ROLES = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
"""Read the audit log and the list of erasures."""
CONFIRMATION_ROLES = frozenset({LEAD, OFFICER, Role.ADMINISTRATOR})
"""May be the second person: they answer for the children's safety and data."""
ADMIN_ROLES = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})
"""Look after the machine."""
