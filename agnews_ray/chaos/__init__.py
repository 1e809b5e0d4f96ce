"""Proof on this machine that nothing is lost: studies that run under faults which were drawn."""
