"""Dynos, their number and size; config vars; releases; maintenance."""

from heroku.steps import Step

PS = [
    Step("ps -a {app}", out=("=== web (Basic): npm start (1)", "web.1: up ...~ ..."), patience=60),
    Step(
        "ps web -a {app}",
        out=("web.1: up",),
        differs="while the dynos of a release do not start, those of the one before answer and "
        "keep their names; the others are `web.1.v7`",
    ),
    Step("ps --json -a {app}", out=('"type": "web"', '"state": "up"')),
    Step("ps nothing -a {app}", err=("No nothing dynos on {app}",), code=1),
    Step("ps:scale -a {app}", out=("queue=0:Basic web=1:Basic",)),
    Step(
        "ps:scale web=3 queue=2 -a {app}", err=("now running", "web at 3:Basic", "queue at 2:Basic")
    ),
    Step("ps -a {app}", out=("npm start (3)", "web.3: up", "queue.2: up"), patience=60),
    Step("ps:scale web-1 queue=0 -a {app}", err=("web at 2:Basic", "queue at 0:Basic")),
    Step("ps:scale web+1 -a {app}", err=("web at 3:Basic",)),
    Step("ps:scale web=1:standard-1x -a {app}", err=("web at 1:Standard-1X",)),
    Step("ps:scale nothing=1 -a {app}", err=("Couldn't find that process type (nothing)",), code=2),
    Step("ps:scale web=100000 -a {app}", err=("100",), code=2),
    Step("ps:scale web=1:huge -a {app}", err=("huge",), code=2),
    Step("dyno:scale web=1 -a {app}", err=("now running web at 1:Standard-1X",)),
    Step("scale web=1 -a {app}", err=("now running web at 1",)),
    Step("ps:type -a {app}", out=("web", "Standard-1X")),
    Step("ps:type web=basic -a {app}", err=("Scaling dynos on {app}... done",), out=("Basic",)),
    Step("ps:resize web=Standard-2X -a {app}", out=("Standard-2X",)),
    Step("dyno:resize web=basic -a {app}", out=("Basic",)),
    Step("ps:type web=huge -a {app}", err=("huge",), code=2),
    Step("ps:restart -a {app}", err=("Restarting all dynos on", "done")),
    Step("ps:restart --process-type web -a {app}", err=("Restarting all web dynos on", "done")),
    Step("ps:restart web.1 -a {app}", err=("Restarting dyno web.1 on", "done"), patience=60),
    Step("restart --dyno-name web.1 -a {app}", err=("done",), patience=60),
    Step("dyno:restart -a {app}", err=("done",)),
    Step("ps:restart web.77 -a {app}", err=("Couldn't find that dyno",), code=2),
    Step("ps:wait -a {app}", never=("Error",), out=("",), patience=120),
    Step("ps:stop --dyno-name web.1 -a {app}", err=("Stopping dyno web.1 on", "done"), patience=60),
    Step("ps:kill web.1 -a {app}", err=("Stopping dyno web.1 on", "done"), patience=60),
    Step("dyno:kill --process-type web -a {app}", err=("done",)),
    Step("ps:scale web=1 web=2 -a {app}", err=("web is named more than once",), code=2),
    Step("ps:stop web.77 -a {app}", err=("Couldn't find that dyno",), code=2),
    Step("ps:stop --process-type web -a {app}", err=("Stopping all web dynos on", "done")),
    Step("dyno:stop --process-type web -a {app}", err=("done",)),
    Step(
        "ps:autoscale:enable --min 1 --max 2 -a {app}",
        err=("only available with Performance or Private dynos",),
        code=1,
        later="autoscaling",
    ),
]

CONFIG = [
    Step(
        "config:set A=b -a {app}", err=("Setting A and restarting {app}... done, v",), out=("A: b",)
    ),
    Step("config -a {app}", out=("=== {app} Config Vars", "A: b")),
    Step("config --shell -a {app}", out=("A=b",)),
    Step("config --json -a {app}", out=('"A": "b"',)),
    Step("config -s -a {app}", out=("A=b",)),
    Step("config:get A -a {app}", out=("b",)),
    Step("config:get NOPE -a {app}", out=("",)),
    Step("config:set -a {app}", words=('ODD=it\'s "odd" $HOME ',), err=("Setting ODD",)),
    Step("config:get ODD --shell -a {app}", out=("ODD=",)),
    Step("config:set B=1 C=2 -a {app}", err=("Setting B, C and restarting {app}... done",)),
    Step("config:unset B C -a {app}", err=("Unsetting B, C and restarting {app}... done",)),
    Step("config:remove ODD -a {app}", err=("done",)),
    Step("config:set 1BAD=x -a {app}", err=("1BAD",), code=2),
    Step("config:set -a {app}", err=("Usage",), code=1),
    Step(
        "config:set noequals -a {app}",
        err=("noequals is invalid. Must be in the format FOO=bar",),
        code=1,
    ),
    Step("config -a no-such-app", err=("Couldn't find that app",), code=2),
    Step(
        "config:edit A -a {app}",
        err=("no changes to config",),
        code=0,
        env={"EDITOR": "true", "VISUAL": "true"},
    ),
]

RELEASES = [
    Step("releases -a {app}", out=("=== {app} Releases - Current: v", "Deploy", "{email}")),
    Step("releases -n 1 -a {app}", out=("=== {app} Releases",)),
    Step("releases --json -a {app}", out=('"version": 2',)),
    Step("releases:info -a {app}", out=("=== Release v", "By: {email}", "When:")),
    Step("releases:info v2 -a {app}", out=("=== Release v2", "Change: Deploy")),
    Step("releases:info v2 --json -a {app}", out=('"version": 2', '"status": "succeeded"')),
    Step("releases:info --shell -a {app}", out=("=== Release v",)),
    Step("releases:info v99 -a {app}", err=("Couldn't find that release",), code=2),
    Step("releases:output v2 -a {app}", err=("Release v2 has no release output available.",)),
    Step("config:set RELEASE=1 -a {app}", err=("done, v",)),
    Step("releases:rollback v2 -a {app}", err=("Rolling back {app} to v2... done, v",)),
    Step("rollback -a {app}", err=("Rolling back {app} to v", "done, v")),
    Step("releases -a {app}", out=("Rollback to v2",)),
    Step("rollback v99 -a {app}", err=("Couldn't find that release",), code=2),
    Step("rollback v1 -a {app}", code=2, err=("slug",)),
    Step(
        "releases:retry -a {app}",
        code=2,
        err=("App must have a release-phase command",),
        differs="needs a release process type, as on Heroku; also: haikube releases retry",
    ),
]

MAINTENANCE = [
    Step("maintenance -a {app}", out=("off",)),
    Step("maintenance:on -a {app}", err=("Enabling maintenance mode for {app}... done",)),
    Step("maintenance -a {app}", out=("on",)),
    Step("maintenance:off -a {app}", err=("Disabling maintenance mode for {app}... done",)),
    Step("maintenance:on -a no-such-app", err=("Couldn't find that app",), code=2),
]
