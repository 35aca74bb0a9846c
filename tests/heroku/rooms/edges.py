"""Domains and certificates, buildpacks, features, webhooks, and what is still to come."""

from heroku.steps import Step

DOMAINS = [
    Step("domains -a {app}", out=("=== {app} Heroku Domain", "{app}.localhost")),
    Step(
        "domains:add www.{suffix}.example.com -a {app}",
        err=("Adding www.{suffix}.example.com to {app}... done",),
        out=("DNS provider",),
    ),
    Step("domains:add www.{suffix}.example.com -a {app}", err=("already",), code=2),
    Step("domains:add *.{suffix}.example.com -a {app}", err=("done",)),
    Step("domains -a {app}", out=("=== {app} Custom Domains", "www.{suffix}.example.com")),
    Step("domains --json -a {app}", out=('"hostname": "www.{suffix}.example.com"',)),
    Step("domains --csv -a {app}", out=("www.{suffix}.example.com",)),
    Step(
        "domains:info www.{suffix}.example.com -a {app}",
        out=("hostname: www.{suffix}.example.com", "kind: custom"),
    ),
    Step("domains:wait www.{suffix}.example.com -a {app}", never=("Error",), out=("",)),
    Step(
        "domains:update www.{suffix}.example.com --cert nothing -a {app}",
        err=("nothing was not found",),
        code=2,
    ),
    Step("domains:add not_a_host -a {app}", err=("not_a_host",), code=2),
    Step("domains:add {app}.localhost -a {app}", code=2),
    Step("domains:remove nowhere.example.com -a {app}", err=("Couldn't find that domain",), code=2),
    Step(
        "domains:remove www.{suffix}.example.com -a {app}",
        err=("Removing www.{suffix}.example.com from {app}... done",),
    ),
    Step("domains:clear -a {app}", err=("Removing all domains from {app}... done",)),
]

CERTS = [
    Step("certs -a {app}", out=("{app} has no SSL certificates",)),
    Step(
        "certs:add {home}/tls.crt {home}/tls.key -a {app}",
        err=("Adding SSL certificate to {app}... done",),
    ),
    Step(
        "certs -a {app}",
        out=("secure.example.com",),
        keeps=(("certificate", r"(?m)^\s*(\S+)\s+secure\."),),
    ),
    Step("domains:add secure.example.com --cert {certificate} -a {app}", err=("done",)),
    Step(
        "domains:update secure.example.com --cert {certificate} -a {app}",
        err=("Updating secure.example.com to use {certificate} certificate... done",),
    ),
    Step("domains:remove secure.example.com -a {app}", err=("done",)),
    Step("certs:info -a {app}", out=("Common Name(s): secure.example.com",)),
    Step(
        "certs:update {home}/tls.crt {home}/tls.key -a {app} --confirm {app}",
        err=("Updating SSL certificate", "done"),
    ),
    Step("certs:add {home}/tls.key {home}/tls.crt -a {app}", code=2),
    Step("certs:remove -a {app} --confirm {app}", err=("Removing SSL certificate", "done")),
    Step("certs:info -a {app}", code=1),
    Step("certs:auto -a {app}", out=("Automatic Certificate Management is disabled",)),
    Step(
        "certs:auto:enable -a {app}",
        err=("cert-manager",),
        code=2,
        differs="needs cert-manager in the cluster, and says so where there is none",
    ),
    Step(
        "certs:auto:refresh -a {app}",
        err=("cert-manager",),
        code=2,
        differs="needs cert-manager in the cluster",
    ),
    Step(
        "certs:auto:disable -a {app} --confirm {app}",
        err=("not in use",),
        code=2,
        differs="needs cert-manager in the cluster",
    ),
]

BUILDPACKS = [
    Step("buildpacks -a {app}", out=("{app} has no Buildpack",)),
    Step(
        "buildpacks:set heroku/nodejs -a {app}",
        out=("Buildpack set. Next release on {app} will use heroku/nodejs.",),
    ),
    Step("buildpacks:add heroku/python -a {app}", out=("Buildpack added.", "2. heroku/python")),
    Step(
        "buildpacks:add --index 1 https://github.com/haikube/none.git -a {app}",
        out=("1. https://github.com/haikube/none.git",),
    ),
    Step("buildpacks -a {app}", out=("=== {app} Classic Buildpacks", "3. heroku/python")),
    Step("buildpacks:remove heroku/python -a {app}", out=("Buildpack removed.",)),
    Step("buildpacks:remove heroku/ruby -a {app}", err=("not found",), code=1),
    Step("buildpacks:set nobody/nothing -a {app}", code=2),
    Step("buildpacks:clear -a {app}", out=("Buildpacks cleared.",)),
    Step("buildpacks:search nodejs", out=("heroku/nodejs",)),
    Step("buildpacks:info heroku/nodejs", out=("heroku/nodejs",)),
    Step("buildpacks:versions heroku/nodejs", out=("",)),
]

FEATURES = [
    Step("features -a {app}", out=("=== App Features {app}", "preboot")),
    Step("features:info preboot -a {app}", out=("=== preboot", "Enabled:")),
    Step("features:enable preboot -a {app}", err=("Enabling preboot for {app}... done",)),
    Step("features:enable preboot -a {app}", err=("preboot is already enabled.",), code=1),
    Step("features:disable preboot -a {app}", err=("Disabling preboot for {app}... done",)),
    Step(
        "features:enable http-session-affinity -a {app}",
        err=("cannot lead a visitor to the same dyno",),
        code=2,
        differs="needs a gateway that knows sessionPersistence, and says so where it does not",
    ),
    Step("features:info nothing -a {app}", err=("Couldn't find that",), code=2),
    Step("labs -a {app}", out=("User Features",)),
    Step(
        "labs:enable runtime-dyno-metadata -a {app}",
        err=("Enabling runtime-dyno-metadata for {app}... done",),
    ),
    Step("labs:info runtime-dyno-metadata -a {app}", out=("=== runtime-dyno-metadata",)),
    Step("labs:disable runtime-dyno-metadata -a {app}", err=("done",)),
    Step("labs:enable nothing -a {app}", code=2),
]

WEBHOOKS = [
    Step("webhooks -a {app}", out=("{app} has no webhooks",)),
    Step(
        "webhooks:add -a {app} -i api:release -l notify -u https://example.com/hook -s secret",
        err=("Adding webhook to {app}... done",),
    ),
    Step(
        "webhooks -a {app}",
        out=("https://example.com/hook", "api:release"),
        keeps=(("webhook", r"([0-9a-f]{8}-[0-9a-f-]{27})"),),
    ),
    Step("webhooks:info {webhook} -a {app}", out=("https://example.com/hook", "api:release")),
    Step(
        "webhooks:update {webhook} -a {app} -i api:build -l sync -u https://example.com/other",
        err=("Updating webhook {webhook} for {app}... done",),
    ),
    Step("webhooks:deliveries -a {app}", out=("{app} has no deliveries",)),
    Step("webhooks:events -a {app}", out=("{app} has no events",), err=("is deprecated",)),
    Step(
        "webhooks:add -a {app} -i api:nonsense -l notify -u https://example.com/hook",
        err=("api:nonsense",),
        code=2,
    ),
    Step("webhooks:add -a {app} -i api:release -l notify -u nowhere", err=("nowhere",), code=2),
    Step(
        "webhooks:remove {webhook} -a {app}", err=("Removing webhook {webhook} from {app}... done",)
    ),
    Step("webhooks:info {webhook} -a {app}", err=("Couldn't find that",), code=2),
]

LATER = [
    Step("pipelines", out=("=== My Pipelines",), later="pipelines"),
    Step("pipelines:info nothing", err=("Pipeline not found",), code=1, later="pipelines"),
    Step("addons -a {app}", out=("No add-ons for app {app}.",), later="add-ons"),
    Step("addons --all", out=("No add-ons.",), later="add-ons"),
    Step("addons:create heroku-postgresql -a {app}", code=2, later="add-ons"),
    Step("addons:info nothing", err=("Couldn't find that add on",), code=2, later="add-ons"),
    Step("addons:services", out=("See plans with",), later="add-ons"),
    Step("usage:addons -a {app}", out=("No usage found for app {app}",), later="add-ons"),
    Step("pg:info -a {app}", out=("{app} has no heroku-postgresql databases.",), later="add-ons"),
    Step("pg:backups -a {app}", err=("This platform has no add-ons",), code=2, later="add-ons"),
    Step(
        "pipelines:diff -a {app}",
        err=("does not seem to be a part of any pipeline",),
        code=2,
        later="pipelines",
    ),
    Step(
        "spaces:info nothing",
        err=("Couldn't find that space",),
        code=2,
        later="private spaces: a cluster of your own is one",
    ),
    Step(
        "spaces",
        err=("You do not have access to any spaces.",),
        code=2,
        later="private spaces: a cluster of your own is one",
    ),
    Step("status", out=("No known issues at this time.",)),
    Step("telemetry -a {app}", out=("no telemetry drains",), later="telemetry drains"),
    Step(
        "telemetry:add https://x.example.com -a {app} --signals all",
        err=("Telemetry drains are not there yet",),
        code=2,
        later="telemetry drains",
    ),
    Step("container:push web -a {app}", code=1, later="container deploys"),
    Step("ci -a {app}", code=2, later="Heroku CI"),
]
