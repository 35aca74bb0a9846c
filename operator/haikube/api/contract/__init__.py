"""Heroku's published schema of the Platform API, and where this platform differs from it.

``schema.json`` is https://github.com/heroku/platform-api (MIT licence, copyright Heroku) without
its prose.
"""
