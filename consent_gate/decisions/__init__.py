"""Deciding pictures anew and writing down what follows, in one transaction."""
