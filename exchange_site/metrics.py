"""`/metrics` in Prometheus' text format: this process, and the parts as `/health` sees them."""

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange_site.health import prober

_FIGURES: Final = {
    ("engine", "queue"): ("exchange_engine_queue_length", "Commands that wait for the engine"),
    ("publisher", "lag"): ("exchange_publisher_lag", "Journal entries not yet published"),
    ("projector", "sequence"): ("exchange_journal_sequence", "The journal's newest entry"),
    ("projector", "lag"): ("exchange_projector_lag", "Journal entries not yet projected"),
    ("projector", "lag_ms"): (
        "exchange_projector_lag_milliseconds",
        "How long the first of them has waited",
    ),
}


class ExchangeCollector(Collector):
    """Asks only when Prometheus does."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        parts = prober.report().parts
        up = GaugeMetricFamily("exchange_up", "Whether a part is well", labels=["part"])
        for name, part in parts.items():
            up.add_metric([name], float(part["ok"]))
        yield up
        for (name, figure), (metric, documentation) in _FIGURES.items():
            if figure in parts[name]:
                yield GaugeMetricFamily(metric, documentation, value=parts[name][figure])


REGISTRY.register(ExchangeCollector())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
