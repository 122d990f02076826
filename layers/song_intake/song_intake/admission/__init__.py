"""Whether and when a request may be sent: the pace, the circuit breaker, the intake's switch."""
