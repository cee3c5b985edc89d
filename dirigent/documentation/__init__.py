"""The pages below `docs/` that are read out of the code: `python -m dirigent.documentation` writes them, `--check` only compares."""
