"""The build engine: source in, slug out; runs in the build pod with the standard library only."""
