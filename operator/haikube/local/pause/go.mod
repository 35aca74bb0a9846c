module haikube.dev/pause

go 1.25.0
