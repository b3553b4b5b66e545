"""Reads what `/metrics` tells, as Prometheus does."""

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


class Numbers:
    """What was told at one moment."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self._samples = [sample for family in families for sample in family.samples]

    def all(self, name: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each sample of a name."""
        return [(dict(s.labels), s.value) for s in self._samples if s.name == name]

    def one(self, name: str, **labels: str) -> float:
        """The sample with these labels; 0 for one that is not told yet."""
        found = (value for given, value in self.all(name) if given == labels)
        return next(found, 0.0)


async def numbers(url: str) -> Numbers:
    """Ask a server."""
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        async with http.get(f"{url}/metrics") as answer:
            assert answer.content_type == "text/plain"
            return Numbers(await answer.text())
