"""The build engine; standard library only, because it runs in the build image."""
