"""The running gate and the worker on another machine."""
