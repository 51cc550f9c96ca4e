"""The command ``consent-gate-pull``: keep a folder the same as a feed, on another machine.

It imports the standard library and the gate's own error class, and no other package.
"""
