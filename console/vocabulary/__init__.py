"""Plain values that several rooms speak of. This room imports no other and starts fast."""
