"""Rules that override a preset: ``REGEX=ENCODING``, the first rule whose expression matches the whole tensor name decides.

Not responsible for: what happens to tensors that no rule matches (`haagenti.planning.policy`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haagenti.errors import InvalidArgumentError
from haagenti.planning.encodings import canonical

Rules = Mapping[str, str] | Sequence[str | tuple[str, str]]

# The last part of "REGEX=ENCODING": a name with or without parameters. Expressions may contain "=" themselves, as in "(?=x)".
# Values may be in parentheses too: int4(transform=hadamard(128)).
_ENCODING = re.compile(r"\s*\w+\s*(\(([^()]|\([^()]*\))*\))?\s*")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        regex: matched against the whole name (`re.fullmatch`).
        encoding: canonical, or ``"plain"``.
    """

    regex: str
    encoding: str

    def matches(self, name: str) -> bool:
        return re.fullmatch(self.regex, name) is not None

    def __str__(self) -> str:
        return f"{self.regex}={self.encoding}"


def parse_rules(rules: Rules | None) -> list[Rule]:
    """Checks and normalises rules.

    Args:
        rules: ``{regex: encoding}``, or a sequence of ``(regex, encoding)`` and ``"REGEX=ENCODING"``.

    Raises:
        InvalidArgumentError: a bad expression or encoding; the message names the rule.

    Example:
        >>> [str(rule) for rule in parse_rules({".*embed.*": "plain"})]
        ['.*embed.*=plain']
    """
    if rules is None:
        return []
    if isinstance(rules, str):
        raise InvalidArgumentError(f"rules: expected a mapping or a sequence of rules, found the text {rules!r}")
    pairs = rules.items() if isinstance(rules, Mapping) else [_split(rule) if isinstance(rule, str) else rule for rule in rules]
    return [_checked(*pair) for pair in pairs]


def _split(text: str) -> tuple[str, str]:
    for match in re.finditer("=", text):
        if _ENCODING.fullmatch(text, match.end()):
            return text[: match.start()], text[match.end() :]
    raise InvalidArgumentError(f"rule {text!r}: expected REGEX=ENCODING, e.g. '.*embed.*=raw'")


def _checked(regex: str, encoding: str) -> Rule:
    try:
        re.compile(regex)
    except re.error as error:
        raise InvalidArgumentError(f"rule '{regex}={encoding}': not a regular expression: {error}") from error
    try:
        return Rule(regex, canonical(encoding.strip()))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"rule '{regex}={encoding}': {error}") from error
