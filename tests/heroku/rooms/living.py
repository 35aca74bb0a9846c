"""Living with an app: its log, commands beside it, where else its log goes."""

from heroku.steps import Step

_NO_APP = ("Couldn't find that app",)

LOGS = [
    Step(
        "logs -a {app}",
        out=(
            "app[api]: Build succeeded",
            "app[api]: Release v2 created by user {email}",
            "heroku[web.1]: State changed from starting to up",
            "app[web.1]: > node web.js",
        ),
        patience=60,
    ),
    Step("logs -a {app} -n 1", out=("+00:00",)),
    Step("logs -a {app} -n 500 --source app", out=("app[web.1]:",), never=("heroku[",)),
    Step("logs -a {app} -s heroku", out=("heroku[web.1]:",), never=("app[",)),
    Step("logs -a {app} -d web.1", out=("app[web.1]:",), never=("[api]",)),
    Step("logs -a {app} --process-type web", out=("app[web.1]:",), never=("[api]",)),
    Step("logs -a {app} -d worker.9", never=("app[", "heroku[")),
    Step("logs -a {app} -s api", out=("app[api]: Build succeeded",), never=("app[web.1]",)),
    Step("logs -a {app} -p api", out=("app[api]: Release v2 created",), never=("heroku[",)),
    Step("create {new}", out=("{new}",)),
    Step("run -a {new} ls", err=("The app has no slug: push code first",), code=2),
    Step("run:detached -a {new} ls", err=("The app has no slug: push code first",), code=2),
    Step("logs -a {new}", out=("app[api]: Initial release by user {email}",), patience=30),
    Step("config:set A=1 B=2 -a {new}", err=("done, v2",)),
    Step("logs -a {new}", out=("app[api]: Set A, B config vars by user {email}",), patience=30),
    Step("apps:rename {renamed} -a {new}", err=("done",)),
    Step("logs -a {renamed}", out=("Initial release by user {email}",)),
    Step("apps:destroy -a {renamed} --confirm {renamed}", err=("done",)),
    Step("logs -a {renamed}", err=_NO_APP, code=2, patience=30),
    Step("logs -a no-such-app", err=_NO_APP, code=2),
    Step("logs -a {app} -n nonsense", err=("integer",), code=2),
]

RUN = [
    Step(
        "run -a {app} 'echo hello; pwd'",
        out=("hello", "/app"),
        err=("Running echo hello; pwd on {app}", "up, run."),
    ),
    Step("run -x -a {app} 'exit 3'", err=("Process exited with code 3",), code=3),
    Step("run -x -a {app} true", err=("up, run.",)),
    Step("run -a {app} nonexistent", out=("nonexistent: command not found",)),
    Step("run -x -a {app} nonexistent", err=("Process exited with code 127",), code=127),
    Step("run -x -a {app} 'kill -9 $$'", err=("Process exited with code 137",), code=137),
    Step("run -x -a {app} 'kill -TERM $$'", err=("Process exited with code 143",), code=143),
    Step("run --no-tty -a {app} cat", stdin="one\ntwo\n", out=("one two",)),
    Step("run --no-tty -a {app} -- wc -c", stdin="12345", out=("5",)),
    Step("run -a {app} cat", stdin="typed\n", out=("typed",)),
    Step("run -a {app} -e 'A=1;B=two words' 'echo $A-$B'", out=("1-two words",)),
    Step("run -a {app} -s standard-2x 'echo $MEMORY_AVAILABLE'", out=("1024",)),
    Step("run -a {app} --type worker 'echo $DYNO'", out=("worker.",)),
    Step("run -a {app} -s huge ls", err=("There is no dyno size huge",), code=2),
    Step("run -a {app}", err=("Usage: heroku run COMMAND",), code=1),
    Step("run -a no-such-app ls", err=_NO_APP, code=2),
    Step(
        "run:detached -a {app} 'echo from afar'",
        err=("Running echo from afar on {app}... done, run.",),
        out=("Run heroku logs --app {app} --dyno run.",),
    ),
    Step(
        "logs -a {app} -d run -n 1500",
        out=(
            "heroku[run.",
            "Starting process with command `echo from afar`",
            "from afar",
            "Process exited with status 0",
            "State changed from up to complete",
        ),
        patience=60,
    ),
    Step("run:inside -a {app} web.1 'echo in $DYNO'", out=("in web.1",)),
    Step("run:inside -x -a {app} web.1 'exit 4'", err=("up, web.1",), code=4),
    Step("run:inside -a {app} web.9 ls", err=("Couldn't find that dyno",), code=2),
    Step(
        "ps:exec -a {app}",
        err=("To run a command in a dyno that runs: heroku run:inside DYNO COMMAND",),
        code=2,
        differs="refused: heroku run:inside DYNO COMMAND does it, without SSH",
    ),
    Step(
        "ps:exec --dyno web.1 -a {app} -- ls",
        err=("heroku run:inside DYNO COMMAND",),
        code=2,
        differs="refused: heroku run:inside DYNO COMMAND does it, without SSH",
    ),
    Step("ps:copy /app/web.js -a {app}", err=("heroku run:inside",), code=2, differs="refused"),
    Step("ps:forward 8080 -a {app}", err=("heroku run:inside",), code=2, differs="refused"),
    Step("ps:socks -a {app}", err=("heroku run:inside",), code=2, differs="refused"),
    Step("console -a {app}", out=("console: command not found",)),
]

DRAINS = [
    Step("drains -a {app}", never=("https://",)),
    Step(
        "drains:add https://logs.example.com/in -a {app}",
        out=("Successfully added drain https://logs.example.com/in",),
    ),
    Step("drains -a {app}", out=("https://logs.example.com/in", "(d.")),
    Step("drains --json -a {app}", out=('"token": "d.',)),
    Step(
        "drains:add https://logs.example.com/in -a {app}",
        err=("The app has this drain already",),
        code=2,
    ),
    Step("drains:add http://logs.example.com -a {app}", err=("https, syslog+tls",), code=2),
    Step(
        "drains:add syslog+tls://logs.example.com:6514 -a {app}",
        out=("Successfully added drain syslog+tls://logs.example.com:6514",),
    ),
    Step(
        "drains:remove https://logs.example.com/in -a {app}",
        out=("Successfully removed drain https://logs.example.com/in",),
    ),
    Step("drains:add https://10.0.0.1/x -a {app}", err=("10.0.0.1 is private",), code=2),
    Step("drains:add syslog+tls://localhost -a {app}", err=("localhost is private",), code=2),
    Step("drains:remove nowhere -a {app}", err=("Couldn't find that log drain",), code=2),
    Step("drains:add https://x.example.com -a no-such-app", err=_NO_APP, code=2),
]
