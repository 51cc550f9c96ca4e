"""View models: what each page shows, without HTTP."""
