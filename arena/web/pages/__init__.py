"""One page a module; no page imports another."""
