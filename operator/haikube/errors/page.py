"""The page of an error: one small file without anything from elsewhere."""

from __future__ import annotations

from html import escape
from string import Template
from typing import Final

from haikube.errors.answers import Answer

_PAGE: Final = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
html { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; height: 100%; }
body { display: grid; margin: 0; min-height: 100%; place-items: center; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 1.6rem; font-weight: 600; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; }
small { opacity: .6; }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>$text</p>
<small>$note</small>
</main>
</body>
</html>
""")


def page(answer: Answer, request_id: str) -> str:
    """Return the HTML of an error; the id finds the request in the log."""
    code = f"{answer.code} · " if answer.code else ""
    note = f"{code}{answer.status} · request {request_id}"
    shown = {"title": answer.title, "text": answer.text, "note": note}
    return _PAGE.substitute({name: escape(text) for name, text in shown.items()})
