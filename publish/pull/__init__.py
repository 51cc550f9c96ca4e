"""The command ``consent-gate-pull``: keep a folder the same as a feed, on another machine.

It needs Python alone: no other package is imported, apart from the program's own error class.
"""
