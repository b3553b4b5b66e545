"""Who speaks when: the rules of taking turns, and what they rest on."""
