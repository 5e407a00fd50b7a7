"""What the benches measured, beside their targets and the committed baseline, for people."""
