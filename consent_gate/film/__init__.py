"""The rules' arithmetic for films: what stays after a cut, and what somebody has to hear."""
