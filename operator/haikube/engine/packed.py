"""Objects as few bytes: how the store keeps what nobody has asked for lately.

Objects of a kind repeat each other: keys, labels, conditions, the shape of everything. So the first
one of a kind is the dictionary with which all others are compressed, and what is left of an object
are its names, uids and moments. Reading one takes some microseconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from zstandard import (
    DICT_TYPE_RAWCONTENT,
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
)

from haikube.cluster.text import decoded, encoded
from haikube.model.resources import Resource

_LEVEL = 1
_SAMPLE = 1 << 13
"""Bytes of the first object that count: most are smaller, and more would take longer to set up."""


class Packer:
    """Packs and unpacks JSON, kind by kind; what one has packed only the same one can read."""

    def __init__(self) -> None:
        self._codecs: dict[Resource, _Codec] = {}

    def pack(self, resource: Resource, content: Any) -> bytes:  # noqa: ANN401 - any JSON
        """Return JSON in few bytes."""
        data = encoded(content)
        codec = self._codecs.get(resource)
        if codec is None:
            codec = self._codecs[resource] = _codec(data[-_SAMPLE:])
        # The compressor cuts its answer out of a room for the worst case, and memory keeps the gap.
        return bytes(memoryview(codec.squeezer.compress(data)))

    def unpack(self, resource: Resource, data: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Return what was packed."""
        return decoded(self._codecs[resource].reader.decompress(data))


class _Codec(NamedTuple):
    """What has read the dictionary of a kind."""

    squeezer: ZstdCompressor
    reader: ZstdDecompressor


def _codec(sample: bytes) -> _Codec:
    known = ZstdCompressionDict(sample, dict_type=DICT_TYPE_RAWCONTENT)
    known.precompute_compress(level=_LEVEL)
    squeezer = ZstdCompressor(_LEVEL, known, write_checksum=False, write_dict_id=False)
    return _Codec(squeezer, ZstdDecompressor(known))
