"""`services:` and `exclude:` of a rule."""

from typing import Annotated, ClassVar

from pydantic import Discriminator, Field, Tag, model_validator

from monitor.rulefile.base import Faults, Strict
from monitor.rulefile.fields import Label, Many, ServiceName, StackName

LIST_TAG, MAPPING_TAG = "(list)", "(mapping)"


class StackOrLabel(Strict):
    """Services of one stack, or with one label."""

    EXAMPLE: ClassVar[str] = '[web, "shop_*"], {stack: shop} or {label: "tier=front"}'
    MEANT: ClassVar[dict[str, str]] = {"labels": "label", "namespace": "stack"}

    stack: StackName | None = Field(
        default=None, description="All services of this stack.", examples=["shop"]
    )
    label: Label | None = Field(
        default=None,
        description='All services with this label: "key=value", or "key" for any value.',
        examples=["tier=front"],
    )

    @model_validator(mode="after")
    def _one(self) -> "StackOrLabel":
        if (self.stack is None) == (self.label is None):
            raise Faults(("", 'write one of {stack: NAME} and {label: "key=value"}'))
        return self


def _kind(value: object) -> str | None:
    if isinstance(value, list):
        return LIST_TAG
    return MAPPING_TAG if isinstance(value, dict | StackOrLabel) else None


Services = Annotated[
    Annotated[Many[ServiceName], Field(min_length=1), Tag(LIST_TAG)]
    | Annotated[StackOrLabel, Tag(MAPPING_TAG)],
    Discriminator(_kind),
]
