"""Withdrawal of published pictures and the readers' confirmations."""
