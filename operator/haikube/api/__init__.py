"""The HTTP front: routes, authentication, serializers."""
