"""A separate process that reads an HDF5 file: `hdf5` starts it as a script and may stop it.

The library that h5py wraps can loop or crash on a damaged file. Here it runs with a limit on its memory, and what it
reads is written out in a plain format. Datasets that refer to other files, claim more than their bytes can hold, or
need a filter that is not part of every HDF5 library are not read; the reason is written instead.

Input: the arguments are sys.path as JSON and the limit on further memory in bytes; the file is stdin. Output: the
length of a JSON text in 8 bytes, the text, and the numbers of all datasets. The text has "attributes" by path,
"members" by path of the group, and "datasets" by path of the dataset: shape, type and position, or "refused". For a
file that cannot be read it has only the reason, as "damaged" or "memory".
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

BLOWUP = 1032  # deflate writes no more than 1032 bytes for one
FILTERS = (1, 2, 3)  # deflate, shuffle, checksums
MOST_MEMBERS = 200_000
DEEPEST = 64
ELSEWHERE = 2**31  # memory that Python takes with NumPy and h5py, where the system does not report it


def main() -> None:
    """Read stdin, write stdout."""
    sys.path[:] = json.loads(sys.argv[1])
    import h5py
    import numpy as np

    limit_memory(int(sys.argv[2]))
    data = sys.stdin.buffer.read()
    told: dict[str, Any] = {"attributes": {}, "members": {}, "datasets": {}}
    numbers: list[bytes] = []
    try:
        with h5py.File(io.BytesIO(data), "r") as root:
            walk(root, len(data), told, numbers, h5py, np)
    except MemoryError:
        told, numbers = {"memory": True}, []
    except Exception as error:  # whatever h5py raises on damaged bytes
        told, numbers = {"damaged": f"{type(error).__name__}: {error}"[:300]}, []
    text = json.dumps(told).encode()
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text)
    for part in numbers:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def limit_memory(most: int) -> None:
    """Limit the memory that may be allocated from now on to `most` bytes, on systems that have such a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        with open("/proc/self/statm", encoding="ascii") as sizes:
            taken = int(sizes.read().split()[0]) * resource.getpagesize()
    except OSError:  # macOS
        taken = ELSEWHERE
    resource.setrlimit(resource.RLIMIT_AS, (taken + most, taken + most))


def walk(root: Any, size: int, told: dict[str, Any], numbers: list[bytes], h5py: Any, np: Any) -> None:
    """Visit all groups that are in the file itself, each once, and their datasets."""
    waiting = [("", root, 0)]
    seen, members, place = set(), 0, 0
    while waiting:
        path, group, depth = waiting.pop()
        told["attributes"][path] = {name: plainly(group.attrs[name], np) for name in group.attrs}
        held = told["members"][path] = []
        for name in group:
            members += 1
            if members > MOST_MEMBERS or depth > DEEPEST:
                raise ValueError("it has too many groups, or groups too deep")
            held.append(name)
            at = f"{path}/{name}".lstrip("/")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                told["datasets"][at] = {"refused": "is a link to elsewhere, which is not followed"}
                continue
            member = group[name]
            if isinstance(member, h5py.Group):
                address = h5py.h5o.get_info(member.id).addr
                if address in seen:
                    raise ValueError("a group is in itself, or in two others")
                seen.add(address)
                waiting.append((at, member, depth + 1))
            elif isinstance(member, h5py.Dataset):
                values = read(member, size, np)
                if isinstance(values, str):
                    told["datasets"][at] = {"refused": values}
                else:
                    told["datasets"][at] = {"shape": values.shape, "type": values.dtype.str, "place": place}
                    numbers.append(values.tobytes())
                    place += values.nbytes


def read(dataset: Any, size: int, np: Any) -> Any:
    """The numbers of a dataset, or the reason why they are not read."""
    if dataset.shape is None or dataset.dtype.kind not in "fiu":
        return f"holds {dataset.dtype}, and weights are floats"
    kept = dataset.id.get_create_plist()
    filters = [kept.get_filter(i)[0] for i in range(kept.get_nfilters())]
    if dataset.is_virtual or dataset.external or any(code not in FILTERS for code in filters):
        return "is not plainly in the file, and is not read"
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > BLOWUP * stored or stored > size or (not filters and dataset.nbytes != stored):
        return f"claims {dataset.shape} numbers, which its {stored} bytes cannot hold: the file is damaged"
    values = np.asarray(dataset[()])
    return values.astype(values.dtype.newbyteorder("<"))


def plainly(value: Any, np: Any) -> Any:
    """An attribute as JSON: a text or a list of texts; anything else becomes None."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray) and value.ndim < 2:
        return [plainly(one, np) for one in value.ravel().tolist()]
    return None


if __name__ == "__main__":
    main()
