"""Which roles may do what, by group: pages, letters and two-person rules ask the same sets.

Roles follow the people of a school: the office brings photos and exports in, reviewers decide,
the safeguarding lead and the data protection officer watch over it, the administrator looks after
accounts, the technician after the machine.
"""

from consent_gate.db.models.accounts import Role

SAFEGUARDING_ROLES, DATA_PROTECTION_ROLES = Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER

ALL_ROLES = frozenset(Role)
REVIEW_ROLES = frozenset({Role.REVIEWER, SAFEGUARDING_ROLES, Role.ADMINISTRATOR})
"""See pictures that wait, and decide on them."""
PUPIL_ROLES = frozenset(
    {Role.OFFICE, SAFEGUARDING_ROLES, DATA_PROTECTION_ROLES, Role.ADMINISTRATOR}
)
"""See the pages about pupils."""
RECALL_ROLES = frozenset({SAFEGUARDING_ROLES, DATA_PROTECTION_ROLES, Role.ADMINISTRATOR})
"""Recall published pictures by pupil."""
IMPORT_ROLES = frozenset({Role.OFFICE, Role.ADMINISTRATOR})
"""Import exports of SIMS."""
OVERSIGHT_ROLES = frozenset({SAFEGUARDING_ROLES, DATA_PROTECTION_ROLES, Role.ADMINISTRATOR})
"""Read the audit log and the list of erasures."""
CONFIRMATION_ROLES = frozenset({SAFEGUARDING_ROLES, DATA_PROTECTION_ROLES, Role.ADMINISTRATOR})
"""May be the second person: they answer for the children's safety and data."""
ADMIN_ROLES = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})
"""Look after the machine."""
