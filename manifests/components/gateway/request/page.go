package request

import "strings"

// sheet is the page of the errors service (operator/haikube/errors/page.py) for what the gateway meets.
const sheet = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Application error</title>
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
<h1>Application error</h1>
<p>This application could not answer this request. Its owner finds the cause in the log: heroku logs --tail</p>
<small>$code · 503 · request $id</small>
</main>
</body>
</html>
`

// page returns the page of a code; the id finds the request in the log.
func page(why, id string) string {
	return strings.NewReplacer("$code", why, "$id", id).Replace(sheet)
}
