"""The exchange's web process with one more path: an empty view, to which others are compared."""
