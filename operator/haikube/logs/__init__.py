"""Log framing and tails."""
