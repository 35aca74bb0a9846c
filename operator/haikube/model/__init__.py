"""The nouns of Haikube as frozen values; imports nothing of ours and performs no I/O."""
