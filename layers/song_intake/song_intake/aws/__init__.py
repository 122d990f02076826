"""How a function calls AWS: one set of clients, one transport, batched calls, failures by their code."""
