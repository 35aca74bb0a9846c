"""Dyno sizes: Heroku's names, and what each means to the scheduler of this cluster.

The built-in sizes have Heroku's memory. The shared ones ask for little and may use what others
leave; the dedicated ones ask for all of their memory. ``HAIKUBE_DYNO_SIZES`` changes single values,
adds sizes of a site's own, and says on which nodes a size runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from haikube.settings import DynoSize, Settings

_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Size:
    """One size; ``name`` is spelled as Heroku does, quantities as Kubernetes does."""

    name: str
    memory: str
    cpu: str
    memory_request: str
    cpu_request: str
    node_selector: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the name as objects and settings hold it."""
        return self.name.lower()

    @property
    def megabytes(self) -> int:
        """Return the memory limit in MB, as buildpacks read MEMORY_AVAILABLE."""
        return megabytes(self.memory)

    @property
    def resources(self) -> dict[str, dict[str, str]]:
        """Return requests and limits of the container."""
        return {
            "requests": {"cpu": self.cpu_request, "memory": self.memory_request},
            "limits": {"cpu": self.cpu, "memory": self.memory},
        }


BASIC = Size("Basic", "512Mi", "2", "64Mi", "10m")

BUILT_IN = (
    replace(BASIC, name="Eco"),
    BASIC,
    replace(BASIC, name="Standard-1X"),
    Size("Standard-2X", "1Gi", "2", "128Mi", "20m"),
    Size("Performance-M", "2560Mi", "2", "2560Mi", "500m"),
    Size("Performance-L", "14Gi", "8", "14Gi", "2"),
    Size("Performance-L-RAM", "30Gi", "4", "30Gi", "1"),
    Size("Performance-XL", "62Gi", "8", "62Gi", "2"),
    Size("Performance-2XL", "126Gi", "16", "126Gi", "4"),
)

_BY_KEY = {each.key: each for each in BUILT_IN}


def dyno_sizes(settings: Settings) -> tuple[Size, ...]:
    """Return all sizes of the platform, the smallest of Heroku's first, a site's own last."""
    changed = {name.lower(): (name, each) for name, each in settings.dyno_sizes.items()}
    known = {each.key for each in BUILT_IN}
    return (
        *(
            _changed(each, changed[each.key][1]) if each.key in changed else each
            for each in BUILT_IN
        ),
        *(
            _changed(replace(BASIC, name=name), each)
            for key, (name, each) in changed.items()
            if key not in known
        ),
    )


def find_size(name: str, settings: Settings) -> Size | None:
    """Return the size of a name, in whatever case it is written."""
    key = name.lower()
    if not settings.dyno_sizes:
        return _BY_KEY.get(key)
    return next((each for each in dyno_sizes(settings) if each.key == key), None)


def size_names(settings: Settings) -> str:
    """Return the names of all sizes for a message.

    >>> size_names(Settings())[:24]
    'eco, basic, standard-1x,'
    """
    return ", ".join(each.key for each in dyno_sizes(settings))


def wrong_sizes(settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the sizes of the settings, in words."""
    for each in dyno_sizes(settings):
        for quantity in (each.memory, each.memory_request):
            try:
                megabytes(quantity)
            except ValueError:
                yield f"HAIKUBE_DYNO_SIZES gives {each.key} the memory {quantity!r}; write 512Mi"


def megabytes(quantity: str) -> int:
    """Return a Kubernetes memory quantity in MB.

    >>> megabytes("512Mi"), megabytes("1Gi"), megabytes("1048576")
    (512, 1024, 1)
    """
    for unit, factor in _UNITS.items():
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * factor) >> 20
    return int(float(quantity)) >> 20


def _changed(size: Size, wanted: DynoSize) -> Size:
    given = wanted.model_dump(exclude_none=True)
    return replace(size, **given)
