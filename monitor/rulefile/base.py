"""What all models of a rule file share, and what their checks may raise."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, field_validator

VERSION = "0.1"

Within = str | tuple[str | int, ...]
"""A field of a mapping ("" for the mapping itself), or the way to one further inside."""


class Faults(ValueError):
    """Several faults of one mapping, each at one of its fields."""

    def __init__(self, *faults: tuple[Within, str]) -> None:
        super().__init__("; ".join(message for _, message in faults))
        self.faults = faults


class NeedsQuotes(ValueError):
    """A name that YAML reads as a number or a truth value; `str()` is what it should be."""


class LaterChoice(ValueError):
    """A value that a later version knows."""


class Strict(BaseModel):
    """Nothing is coerced, nothing unknown is passed over, nothing is left empty.

    EXAMPLE: how this mapping looks, for the message where something else stands in its place.
    LATER: fields that this version does not know yet, and what to do without them.
    MEANT: what people who know other autoscalers may write, and the field's name here.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    EXAMPLE: ClassVar[str] = ""
    LATER: ClassVar[dict[str, str]] = {}
    MEANT: ClassVar[dict[str, str]] = {}

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("has no value: write one behind the colon, or remove the line")
        return value
