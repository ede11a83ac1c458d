"""The rendered book, as a reader's browser shows it: a check of every page, and one PDF."""
