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
        code=1,
        env={"HEROKU_API_KEY": "x"},
        err=("Cannot log in with HEROKU_API_KEY set",),
    ),
    Step("sessions", later="sessions are logins with haikube login", out=("No OAuth sessions.",)),
    Step("clients", out=("No OAuth clients.",), later="OAuth clients"),
]

AUTHORIZATIONS = [
    Step("authorizations", out=("",)),
    Step("authorizations:create -d ci-{suffix} --json", out=('"token"', "ci-{suffix}")),
    Step("authorizations", out=("ci-{suffix}",)),
    Step("authorizations:create -d short-{suffix} -e 3600", out=("Client: <none>", "Token:")),
    Step("authorizations:info nowhere", err=("Couldn't find that authorization",), code=2),
]

KEYS = [
    Step("keys", err=("You have no SSH keys.",)),
    Step(
        "keys:add {home}/key.pub",
        err=("HTTPS",),
        code=2,
        differs="refused: git is HTTPS here, with the token of haikube login",
    ),
    Step("keys:add", err=("ssh key",), code=1),
    Step("keys:remove nobody@nowhere", err=("not found",), code=1),
    Step("keys:clear", err=("Removing all SSH keys... done",)),
]
