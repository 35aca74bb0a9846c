"""Who one is, what one may show, and what is refused on the way."""

from heroku.steps import Step

AUTH = [
    Step("auth:whoami", out=("{email}",)),
    Step("whoami", out=("{email}",)),
    Step(
        "auth:token",
        out=("haikube-",),
        differs="prints the bridge's key, which is of use on this machine alone",
    ),
    Step(
        "auth:whoami",
        err=("does not know this key", "unset it"),
        code=2,
        env={"HEROKU_API_KEY": "stolen"},
    ),
    Step(
        "apps:info -a {app}",
        err=("does not know this key", "haikube login"),
        code=2,
        env={"HEROKU_API_KEY": "stolen"},
    ),
    Step("2fa", out=("Two-factor authentication is not enabled",)),
    Step(
        "auth:login -i",
        code=2,
        differs="haikube login",
        env={"HEROKU_API_KEY": "x"},
        err=("Cannot log in with HEROKU_API_KEY set",),
    ),
    Step("sessions", later="sessions are logins with haikube login", out=("No OAuth sessions.",)),
    Step("clients", out=("No OAuth clients.",), later="OAuth clients"),
]

AUTHORIZATIONS = [
    Step("authorizations", never=("Error",)),
    Step(
        "authorizations:create -d ci-{suffix} --json",
        out=('"token"', "ci-{suffix}"),
        keeps=(("authorization", r'"id": "([0-9a-f-]{36})"'),),
    ),
    Step("authorizations", out=("ci-{suffix}",)),
    Step("authorizations --json", out=('"ci-{suffix}"',)),
    Step("authorizations:info {authorization}", out=("Description: ci-{suffix}", "Token:")),
    Step("authorizations:info {authorization} --json", out=('"ci-{suffix}"',)),
    Step(
        "authorizations:update {authorization} -d better-{suffix}",
        err=("Updating OAuth Authorization... done",),
        out=("better-{suffix}",),
    ),
    Step(
        "authorizations:rotate {authorization}",
        err=("Rotating OAuth Authorization... done",),
        out=("Token:",),
    ),
    Step(
        "authorizations:create -d short-{suffix} -e 3600",
        out=("Client: <none>", "Token:"),
        keeps=(("short", r"ID:\s+(\S+)"),),
    ),
    Step(
        "authorizations:destroy {short}", err=("done, revoked authorization from short-{suffix}",)
    ),
    Step(
        "authorizations:revoke {authorization}",
        err=("Revoking OAuth Authorization... done, revoked authorization from better-{suffix}",),
    ),
    Step("authorizations:info {authorization}", err=("Couldn't find that",), code=2),
    Step("authorizations:destroy nowhere", err=("Couldn't find that",), code=2),
]

KEYS = [
    Step("keys", err=("You have no SSH keys.",)),
    Step(
        "keys:add {home}/key.pub",
        err=("HTTPS",),
        code=2,
        differs="refused: git is HTTPS here, with the token of haikube login",
    ),
    Step(
        "keys:remove nobody@nowhere",
        err=("No SSH keys on account",),
        code=1,
        differs="there are none",
    ),
    Step("keys:clear", err=("Removing all SSH keys... done",)),
]
