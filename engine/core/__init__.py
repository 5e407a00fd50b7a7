"""The matching engine: a pure function of its commands."""
