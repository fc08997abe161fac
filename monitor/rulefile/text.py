"""A rule file's bytes as text, or the place of the first byte that has no business in it."""

import re

MAX_BYTES = 1024 * 1024

# Control characters, the line breaks that editors do not count as such, characters that change
# the direction of text (a reader would see another rule than the one that is loaded), and code
# points that are no characters. Tab, line feed and carriage return are dealt with apart.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class YamlFault(Exception):
    """`line` and `column` count from 1; `str()` is one sentence that says what to write."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def decode(data: bytes) -> str:
    """UTF-8 text without byte order mark, or a YamlFault."""
    if len(data) > MAX_BYTES:
        raise YamlFault(1, 1, "the file is larger than 1 MiB: split it into several rule files")
    if data.startswith(_UTF16):
        raise YamlFault(1, 1, "the file is UTF-16: save it as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _place(before, len(before))
        byte = data[error.start]
        raise YamlFault(
            line, column, f"byte 0x{byte:02x} is not UTF-8: save the file as UTF-8"
        ) from None
    text = text.removeprefix("\ufeff")
    if found := _UNWANTED.search(text):
        line, column = _place(text, found.start())
        code = ord(found.group())
        raise YamlFault(line, column, f"invisible character U+{code:04X}: remove it")
    if found := _TAB_INDENT.search(text):
        line, column = _place(text, found.end() - 1)
        raise YamlFault(line, column, "tab in the indentation: indent with spaces")
    if not text.strip():
        raise YamlFault(1, 1, 'the file is empty: write "version: 1" and "rules: []"')
    return text


def _place(text: str, index: int) -> tuple[int, int]:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
