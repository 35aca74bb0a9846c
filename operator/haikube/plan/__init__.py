"""Pure decisions, one module per kind: observed things in, a ``Plan`` out.

Nothing here awaits, reads a clock or calls anybody. What a plan needs to know is in its view,
what the platform is set to in ``Context``.
"""
