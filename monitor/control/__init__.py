"""Which services are due, what is decided of them, and which writes are admitted."""
