"""Where each kind lives in the Kubernetes API: data only, shared by every layer."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "haikube.dev"
VERSION = "v1alpha1"


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """The address of a kind: group (empty for core), version, plural and kind name.

    Each is there once, and equals itself alone: stores look kinds up thousands of times a second.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return the value of ``apiVersion`` in objects of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version


APPS = Resource(GROUP, VERSION, "apps", "App")
BUILDS = Resource(GROUP, VERSION, "builds", "Build")
RELEASES = Resource(GROUP, VERSION, "releases", "Release")
FORMATIONS = Resource(GROUP, VERSION, "formations", "Formation")
DYNOS = Resource(GROUP, VERSION, "dynos", "Dyno")
STACKS = Resource(GROUP, VERSION, "stacks", "Stack", namespaced=False)

OWN_KINDS = (APPS, BUILDS, RELEASES, FORMATIONS, DYNOS, STACKS)

PODS = Resource("", "v1", "pods", "Pod")
POD_LOGS = Resource("", "v1", "pods/log", "Pod")
POD_ATTACH = Resource("", "v1", "pods/attach", "Pod")
POD_EXEC = Resource("", "v1", "pods/exec", "Pod")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICES = Resource("", "v1", "services", "Service")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS = Resource("", "v1", "events", "Event")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
JOBS = Resource("batch", "v1", "jobs", "Job")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
GATEWAYS = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
TOKEN_REVIEWS = Resource(
    "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False
)
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    namespaced=False,
)
RULES_REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectrulesreviews",
    "SelfSubjectRulesReview",
    namespaced=False,
)

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")

TEAM_KINDS = (NAMESPACES, ROLE_BINDINGS, NETWORK_POLICIES, RESOURCE_QUOTAS, LIMIT_RANGES)
"""What the namespace of a team is made of."""

CERTIFICATES = Resource("cert-manager.io", "v1", "certificates", "Certificate")
"""What cert-manager makes and renews certificates for; not every cluster has it."""

CHILD_KINDS = (DEPLOYMENTS, BUDGETS, SERVICES, HTTP_ROUTES, JOBS, PODS, SECRETS)

BY_KIND = {
    kind.kind: kind
    for kind in (*OWN_KINDS, *CHILD_KINDS, GATEWAYS, CERTIFICATES, EVENTS, LEASES, NODES)
}
