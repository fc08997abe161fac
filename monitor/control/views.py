"""What control needs of the mirror."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from monitor.model.service import Service
from monitor.model.view import ServiceView


class Views(Protocol):
    def services(self) -> Mapping[str, Service]:
        """All known services by id."""

    def view(self, service_id: str) -> ServiceView | None: ...

    def expect(self, service_ids: Iterable[str]) -> None:
        """These services were just written to: read them again now."""
