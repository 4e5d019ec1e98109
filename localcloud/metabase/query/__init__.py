"""Questions on the sample database: what they touch, their SQL, their answers."""
