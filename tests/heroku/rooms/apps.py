"""Apps: they come, are looked at, renamed, locked, and go."""

from heroku.steps import Step

APPS = [
    Step(
        "apps:create {new} --no-remote",
        out=("http://{new}.localhost:{port}/ | https://{bridge}/{new}.git",),
        err=("Creating {new}... done",),
    ),
    Step("apps:create {new} --no-remote", err=("Name {new} is already taken",), code=2),
    Step("apps:create Bad_Name", err=("start with a letter",), code=2),
    Step("apps:create ab", err=("3 to 30 characters",), code=2),
    Step("apps:create api", err=("belongs to the platform",), code=2),
    Step("create other-{suffix} --no-remote", out=("other-{suffix}.git",)),
    Step("destroy -a other-{suffix} --confirm other-{suffix}", err=("done",)),
    Step("create --no-remote --region mars", err=("region",), code=2),
    Step("create --no-remote --stack heroku-99", err=("heroku-99",), code=2),
    Step("apps", out=("{new}",)),
    Step("apps --all", out=("{new}",)),
    Step("apps --json", out=('"name": "{new}"',)),
    Step("apps --team {team}", out=("{new}",)),
    Step("apps:info -a {new}", out=("=== {new}", "Git URL: https://{bridge}/{new}.git", "Owner:")),
    Step("apps:info -a {new} --shell", out=("git_url=https://{bridge}/{new}.git", "stack=")),
    Step("apps:info -a {new} --json", out=('"name": "{new}"',)),
    Step("apps:info -a {new} -x", out=("=== {new}", "--- Extended Information ---")),
    Step("apps:info -a {app}", out=("Repo Size: ", "Slug Size: "), never=("Repo Size: 0 B",)),
    Step("info -a {new}", out=("=== {new}",)),
    Step("apps:info -a no-such-app", err=("Couldn't find that app",), code=2),
    Step("apps:info", err=("No app specified",), code=1),
    Step(
        "apps:open -a {new}",
        out=("Opening http://{new}.localhost",),
        code=0,
        env={"BROWSER": "true"},
    ),
    Step(
        "apps:rename {renamed} -a {new}",
        err=("Renaming {new} to {renamed}... done",),
        out=("{renamed}.git",),
    ),
    Step("apps:info -a {renamed}", out=("=== {renamed}",)),
    Step("apps:rename x -a {renamed}", err=("3 to 30 characters",), code=2),
    Step("apps:rename {app} -a {renamed}", err=("already taken",), code=2),
    Step(
        "apps:destroy -a {renamed} --confirm wrong",
        err=("Confirmation wrong did not match {renamed}",),
        code=1,
    ),
    Step("apps:destroy -a {renamed} --confirm {renamed}", err=("Destroying {renamed}", "done")),
    Step("apps:info -a {renamed}", err=("Couldn't find that app",), code=2, patience=10),
    Step(
        "apps:destroy -a no-such-app --confirm no-such-app", err=("Couldn't find that app",), code=2
    ),
    Step("apps:errors -a {app}", err=("ENOTFOUND",), code=1, later="metrics"),
    Step("apps:favorites", code=1, later="favourites"),
    Step("regions", out=("us",)),
    Step("apps:stacks -a {app}", out=("* debian-13",)),
    Step("stack -a {app}", out=("=== {app} Available Stacks", "* debian-13")),
    Step("apps:stacks:set debian-13 -a {app}", err=("Setting stack to debian-13... done",)),
    Step("stack:set debian-13 -a {app}", err=("done",)),
    Step("stack:set heroku-99 -a {app}", err=("heroku-99",), code=2),
]

LOCKS = [
    Step("apps:lock -a {app}", err=("Locking {app}... done",)),
    Step("apps:info -a {app} --json", out=('"locked": true',)),
    Step("apps:lock -a {app}", err=("This app is already locked.",), code=1),
    Step("apps:unlock -a {app}", err=("Unlocking {app}... done",)),
    Step("apps:unlock -a {app}", err=("This app is not locked.",), code=1),
    Step("lock -a {app}", err=("Locking {app}... done",)),
    Step("unlock -a {app}", err=("Unlocking {app}... done",)),
    Step(
        "apps:transfer nobody@example.com -a {app}",
        code=2,
        later="apps change hands with their namespace",
    ),
    Step(
        "apps:leave -a {app}",
        err=("owns {app}: hand it over",),
        code=2,
        differs="who owns an app hands it over or deletes it; others leave its team",
    ),
    Step("apps:join -a {app}", code=2, differs="who may see an app is in its team already"),
]

TEAMS = [
    Step("teams", out=("{team}",)),
    Step("teams --json", out=('"name": "{team}"',)),
    Step("members --team {team}", out=("{email}",)),
    Step("members --team {team} --json", out=("{email}",)),
    Step("members --team no-such-team", err=("Couldn't find that team",), code=2),
    Step("orgs", out=("{team}",)),
    Step(
        "members:add dora@example.com --role member --team {team}",
        err=("Adding dora@example.com to {team} as member... done",),
    ),
    Step("members --team {team} --role member", out=("dora@example.com",)),
    Step(
        "members:set dora@example.com --role viewer --team {team}",
        err=("Adding dora@example.com to {team} as viewer... done",),
    ),
    Step("members --team {team} --role viewer", out=("dora@example.com",)),
    Step("members:set dora@example.com --role owner --team {team}", err=("'owner'",), code=2),
    Step(
        "members:remove dora@example.com --team {team}",
        err=("Removing dora@example.com from {team}... done",),
    ),
    Step("members --team {team}", never=("dora@example.com",), out=("{email}",)),
    Step(
        "members:remove dora@example.com --team {team}",
        err=("dora@example.com was not found",),
        code=2,
    ),
]

ACCESS = [
    Step("access -a {app}", out=("{email}",)),
    Step("access --json -a {app}", out=("{email}",)),
    Step(
        "access:add carol@example.com -a {app} -p deploy",
        err=("Adding carol@example.com access to the app {app}... done",),
    ),
    Step("access -a {app}", out=("carol@example.com",)),
    Step(
        "access:update carol@example.com -a {app} -p view",
        err=("not owned by a team",),
        code=2,
        differs="for apps of a team, as on Heroku; else access:remove and access:add",
    ),
    Step(
        "access:remove carol@example.com -a {app}",
        err=("Removing carol@example.com access from the app {app}... done",),
    ),
    Step("access:remove carol@example.com -a {app}", err=("Couldn't find that",), code=2),
]

GIT = [
    Step("git:remote -a {app}", out=("set git remote heroku to https://{bridge}/{app}.git",)),
    Step("git:remote -a {app} -r staging", out=("set git remote staging",)),
    Step("git:remote -a no-such-app", err=("Couldn't find that app",), code=2),
    Step("git:clone -a {app} {home}/cloned-{suffix}", err=("Cloning into",)),
    Step("git:clone -a no-such-app", err=("Couldn't find that app",), code=2),
]
