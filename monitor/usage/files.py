"""Reading small kernel files: once in a while, or every second through a kept descriptor.

Reading a cgroup file of 20 bytes through an open descriptor costs a third of opening it anew
(3 us against 10 us), which is why the every-second files stay open.
"""

import errno
import os
import resource

# More than the largest memory.stat (about 3 kB); one read gets all of a single-record file.
_ENOUGH = 16384


class GoneError(Exception):
    """The cgroup does not exist any more."""


def slurp(path: str) -> bytes | None:
    """The whole content of a file; None where it cannot be read.

    Plain system calls: a file object costs another 7 us each time.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = os.read(fd, _ENOUGH)
        while more := os.read(fd, _ENOUGH):  # files of several records may come in parts
            content += more
    except OSError:
        return None
    else:
        return content
    finally:
        os.close(fd)


class KeptFile:
    """One file of a cgroup directory, read again and again.

    Descriptors above half of the process's limit are not kept, so that a node with very many
    containers pays with time and not with failing connections.
    """

    __slots__ = ("_directory", "_fd", "_highest", "_missing", "_name")

    def __init__(self, directory: str, name: str) -> None:
        self._directory = directory
        self._name = name
        self._fd = -1
        self._missing = False
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._highest = soft // 2 if soft != resource.RLIM_INFINITY else 1 << 20

    def read(self) -> bytes | None:
        """The content, None where this cgroup has no such file or it cannot be read.

        Raises GoneError where the cgroup itself is gone: an open descriptor then gives ENODEV.
        """
        if self._missing:
            return None
        try:
            if self._fd < 0:
                self._fd = os.open(f"{self._directory}/{self._name}", os.O_RDONLY | os.O_CLOEXEC)
            content = os.pread(self._fd, _ENOUGH, 0)
        except OSError as error:
            self.close()
            if error.errno == errno.ENODEV or not os.path.isdir(self._directory):  # noqa: PTH112
                raise GoneError(self._directory) from error
            self._missing = error.errno == errno.ENOENT
            return None
        if self._fd > self._highest:
            self.close()
        return content

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
