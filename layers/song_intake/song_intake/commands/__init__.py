"""The operators' commands, run outside AWS. No function imports them."""
