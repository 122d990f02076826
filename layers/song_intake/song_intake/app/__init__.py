"""How each function is built from its settings and its clients."""
