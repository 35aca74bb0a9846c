"""Label and annotation keys: the only place where they are spelled."""

from __future__ import annotations

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY_HAIKUBE = "haikube"

APP = "haikube.dev/app"
APP_UID = "haikube.dev/app-uid"
PROCESS_TYPE = "haikube.dev/process-type"
RELEASE = "haikube.dev/release"
BUILD = "haikube.dev/build"
FORMATION = "haikube.dev/formation"
"""Label of a dyno pod: the name of its Formation, always a valid label value."""

COMPONENT = "haikube.dev/component"
"""What a child is for: ``build``, ``dyno``, ``release-phase``, ``config``, ``slug-url``."""

APP_NAMESPACE = "haikube.dev/app-namespace"
"""Label of what is of an app and lies in another namespace than its own."""

CERTIFICATE = "haikube.dev/certificate"
"""Annotation of a Gateway for certificates: what they are, one word each (fingerprint=names)."""

DYNO = "haikube.dev/dyno"
"""Annotation of a dyno pod: its name, for example ``web.1``; read by the dyno from a file."""

TEMPLATE_HASH = "pod-template-hash"
"""Label that Kubernetes gives the pods of one ReplicaSet."""

DRAINS = "haikube.dev/drains"
"""Label of the Secret that says where an app's log is sent."""

SESSION_UNTIL = "haikube.dev/session-until"
"""Annotation of an attached Dyno: RFC 3339 time; its session is gone unless it moves this on."""

SESSION_JOINED = "haikube.dev/session-joined"
"""Annotation of an attached Dyno: its one session has begun."""

APPLIED_DIGEST = "haikube.dev/applied-digest"
"""Annotation of every child: digest of what the operator last wanted it to be."""

SERVING = "haikube.dev/serving"
"""Annotation of an HTTPRoute: the release that all its dynos run, ``v12``."""

EXPIRES_AT = "haikube.dev/expires-at"
"""Annotation of a Secret with presigned URLs: RFC 3339 time at which the first one expires."""

SOURCE_DIGEST = "haikube.dev/source-digest"
"""Annotation of a Build made from ``App.spec.source``: which declaration it was made for."""

CONFIG_SEEN = "haikube.dev/config-seen"
"""Annotation of a rollback's snapshot: digest of the config Secret at the time of the rollback."""

PUSH = "haikube.dev/push"
"""Annotation of a Build that a push made: the id under which that push holds the lock."""

COMMIT = "haikube.dev/commit"
"""Annotation of a Release: the commit its slug was built from."""

BUILD_CACHE = "haikube.dev/build-cache"
"""Annotation of an App: any text. With another one its next build starts with an empty cache."""

TEAM = "haikube.dev/team"
"""Label of a namespace that belongs to a team: the operator writes into no other one."""

CONFIG_VERSION = "haikube.dev/config-version"
"""Annotation of a Release: resourceVersion of the newest config Secret that it takes account of."""

REQUESTED_BY = "haikube.dev/requested-by"
"""Annotation of a Release: uid of the request that it answers."""

AUTHOR = "haikube.dev/author"
"""Annotation of a config Secret, Formation or App: who changed it last."""

DESCRIPTION = "haikube.dev/description"
"""Annotation of a config Secret: what its last change is called in the ledger."""

RETRY = "haikube.dev/retry"
"""Annotation of a failed Release: any text. With another one its release phase runs once more."""

STOP = "haikube.dev/stop"
"""Annotation of a Release: any text. Its release phase is ended, and the release fails."""

RESTARTED_AT = "haikube.dev/restarted-at"
"""Annotation of a Formation: any text, by custom a time. With another one its dynos are rolled."""

MOVED_AT = "haikube.dev/moved-at"
"""Annotation of a Deployment and its dynos: when they were last rolled to leave a node."""

TRIED_BESIDE = "haikube.dev/tried-beside"
"""Annotation of a Deployment: a digest of the dynos that were there when one more was refused."""

RUNTIME = "haikube.dev/runtime"
"""On a Job of the platform and its pod: the runtime that it makes from source, ``ruby-3.4.7``."""

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Annotation of a dyno that a drain may wait for: the autoscaler is to begin it all the same."""

IMAGE = "haikube.dev/image"
"""Annotation of a Deployment: the image its dynos run on; their stack may have another by now."""

STACK = "haikube.dev/stack"
"""Annotation of a Deployment: the stack whose image that is."""

ADOPTED = "haikube.dev/adopted"
"""Annotation of an object of ours that a person or Git made, and that got its app as owner."""

REBUILD = "haikube.dev/rebuild"
"""Annotation of a Build that nobody waits for: it goes after those that people pushed."""

OWNER = "haikube.dev/owner"
"""Annotation of an App: the person it belongs to; without it, it belongs to its team."""

CERTIFICATES_REFRESHED = "haikube.dev/certificates-refreshed-at"
"""Annotation of an App: any text. With another one its automatic certificates are made anew."""

LOCKED = "haikube.dev/locked"
"""Annotation of an App: "true" keeps people from joining it by themselves."""

SCOPE = "haikube.dev/scope"
"""Annotation of the service account of an authorization: what it was made for."""

EXPIRES_IN = "haikube.dev/expires-in"
"""Annotation of the same: seconds that a token of it lives, empty for years."""
