"""What legitimately differs between two Swarms is taken out of what the docker client prints."""

import re

_UNIT = r"(?:B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)"
_RULES: tuple[tuple[str, str], ...] = (
    (
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{3,4})?",
        "<time>",
    ),
    (r"(?:Less than a|less than a|About an?|about an?|\d+) (?:second|minute|hour)s? ago", "<ago>"),
    (r"\bUp (?:Less than a|About an?|\d+) (?:second|minute|hour)s?", "Up <ago>"),
    (r"\b[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-z]{25}\b", "<id>"),
    (r"\b(?=[a-z]*[0-9])[0-9a-z]{12}\b", "<id>"),
    (r"^[0-9a-z]{12}(?=:|\s|$)", "<id>"),
    (r"(?<![\w.])\d+(?:\.\d+)?%", "<percent>"),
    (rf"(?<![\w.])\d+(?:\.\d+)?{_UNIT}\b", "<size>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\d+)?", "<address>"),
    (r'("Index": )\d+', r"\1<index>"),
    (r'("time(?:Nano)?":)\d+', r"\1<time>"),
    (r"\b\d\d\.\d{1,2}\.\d{1,2}(?:\+\w+)?(?=\s|$)", "<version>"),
    (r"-----BEGIN CERT[^$]*?END CERTIFICATE-----", "<certificate>"),
    (r"( Issuer (?:Subject|Public Key):\s+)\S+", r"\1<key>"),
    (r"( CPUs:\s+)\d+", r"\1<cpus>"),
    (r"( Log:\s+)\S.*", r"\1<drivers>"),
)
_STOP_FIRST = (
    r'daemon: cannot remove container "\1": container is running: '
    "stop the container before removing or force remove"
)
# What engine 20.10 said, and what engine 28 says: the simulated one speaks as the latter.
_WORDING: tuple[tuple[str, str], ...] = (
    (r"daemon: Invalid filter '", "daemon: invalid filter '"),
    (r"daemon: get (\S+): no such volume", r"daemon: volume \1 not found"),
    (r"daemon: You cannot remove a running container (\S+)\. Stop.*", _STOP_FIRST),
)
# Progress, which a client prints as often as it happens to look.
_PROGRESS = re.compile(
    r"^(?:overall progress:|active tasks:|job progress:|\d+/\d+:|<id>: |verify: Waiting|rollback: )"
)


def normalised(printed: str) -> str:
    """Ids, times, sizes, addresses as placeholders; columns parted by two spaces; no progress."""
    for pattern, instead in (*_RULES, *_WORDING):
        printed = re.sub(pattern, instead, printed, flags=re.MULTILINE)
    lines = []
    for line in printed.replace("\r", "").splitlines():
        indent = len(line) - len(line.lstrip())
        squeezed = line[:indent] + re.sub(r"\s{2,}", "  ", line[indent:]).rstrip()
        if not _PROGRESS.match(squeezed):
            lines.append(squeezed)
    return "\n".join(lines)
