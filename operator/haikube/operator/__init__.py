"""The operator process: the only importer of kopf."""
