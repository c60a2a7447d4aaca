"""Measures iacfix beside its peers: `python -m bench CORPUS_DIR...`, run at the root of the repository."""
