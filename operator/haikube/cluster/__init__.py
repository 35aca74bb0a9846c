"""The Kubernetes port and its adapters."""
