"""The servers that everything stands on: where they are, and the embedded ones."""
