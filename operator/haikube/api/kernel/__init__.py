"""What every room stands on: calls, callers, problems, pages, links; no resource is known here."""
