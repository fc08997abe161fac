"""What the YAML scanner complains of, in sentences that say what to write."""

from yaml import MarkedYAMLError

from monitor.rulefile.text import YamlFault

# Pieces of libyaml's and the pure scanner's messages. The first that fits wins.
_SENTENCES: tuple[tuple[str, bool, str], ...] = (
    # piece of the message, whether the context's place is meant, sentence
    ("expected ',' or ']'", True, 'the list opened here is not closed: add "]"'),
    ("expected ',' or '}'", True, 'the mapping opened here is not closed: add "}"'),
    ("unexpected end of stream", True, "the quote opened here is not closed"),
    ("unexpected document separator", True, "the quote opened here is not closed"),
    (
        "mapping values are not allowed",
        False,
        'a second ":" on one line: indent the key on a line of its own, or quote the text',
    ),
    (
        "block sequence entries are not allowed",
        False,
        'a list item cannot stand here: write "- " on a line of its own, below its key',
    ),
    ("could not find expected ':'", True, 'a key without ":": write "key: value"'),
    ("cannot start any token", False, "a value cannot start with this character: put it in quotes"),
    ("escape character", False, "unknown escape in double quotes: use single quotes"),
    ("alphabetic or numeric character", False, "put this value in quotes: * and & are YAML signs"),
    ("directive", False, 'remove the "%" line: rule files need none'),
    ("incompatible YAML document", False, 'remove the "%" line: rule files need none'),
    ("document start", False, "only one document per file: move the rest to a file of its own"),
    ("node content", False, "a value is expected here: check that brackets are closed"),
    (
        "parsing a block collection",
        False,
        'this fits no list item: check its indentation, or write "- " in line with the others',
    ),
    (
        "parsing a block mapping",
        False,
        "a key is expected here: check indentation, brackets and quotes",
    ),
)


def yaml_fault(error: MarkedYAMLError, lines: int) -> YamlFault:
    """One fault at the place where a person should look; `lines` is the file's last line."""
    said = f"{error.context or ''} | {error.problem or ''}"
    mark, sentence = error.problem_mark or error.context_mark, f"not YAML: {error.problem}"
    for piece, in_context, text in _SENTENCES:
        if piece in said:
            sentence = text
            if in_context and error.context_mark is not None:
                mark = error.context_mark
            break
    if mark is None:
        return YamlFault(1, 1, sentence)
    if mark.line + 1 > lines:
        return YamlFault(lines, 1, sentence)
    return YamlFault(mark.line + 1, mark.column + 1, sentence)
