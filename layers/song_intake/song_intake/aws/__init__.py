"""How a function calls AWS: one set of clients, one transport, batched calls, and failures reported by their code."""
