"""Others beside Semel: the same messages into the same kind of message centre, killed at the same moment (tests/peers/crash)."""
