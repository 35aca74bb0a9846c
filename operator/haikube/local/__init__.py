"""The local cluster: one machine, one command, no Docker needed.

Nothing here is used by an installed platform. It may be root's tool, so it must never end a
process, drop a mount or delete a rule that it did not make itself.
"""
