"""From a command to its journal entry, and everything that follows the journal."""

from engine.compiled import prefer_compiled_core

prefer_compiled_core()
