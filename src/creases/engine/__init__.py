"""How a domain is cut: arrays and integers only; no networks, domains, files or frameworks."""
