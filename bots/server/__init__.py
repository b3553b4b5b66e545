"""The server: who may ask for what, and what each is answered."""
