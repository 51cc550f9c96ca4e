"""Sets of roles with the same permissions, used by pages, notifications and two-person rules.

The office imports photos and exports. Reviewers decide on pictures. The safeguarding lead and the
data protection officer supervise. The administrator manages accounts, the technician the machine.
"""

from consent_gate.db.models.accounts import Role

ALL_ROLES = frozenset(Role)
REVIEW_ROLES = frozenset({Role.REVIEWER, Role.SAFEGUARDING_LEAD, Role.ADMINISTRATOR})
"""See held pictures and decide on them."""
PUPIL_ROLES = frozenset(
    {Role.OFFICE, Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR}
)
"""See the pages about pupils."""
RECALL_ROLES = frozenset({Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR})
"""Recall published pictures by pupil."""
IMPORT_ROLES = frozenset({Role.OFFICE, Role.ADMINISTRATOR})
"""Import exports of SIMS."""
PORTRAIT_ROLES = REVIEW_ROLES | IMPORT_ROLES
"""See the enrolment portraits and confirm them: staff who know the children, and the office."""
OVERSIGHT_ROLES = frozenset(
    {Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR}
)
"""Read the audit log and the list of erasures."""
CONFIRMATION_ROLES = frozenset(
    {Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR}
)
"""May be the second person, because they are responsible for safeguarding and data protection."""
ADMIN_ROLES = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})
"""Manage the installation."""
