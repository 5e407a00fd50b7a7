"""`/metrics` in Prometheus' text format: this process, and the parts as `/health` sees them."""

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange_site.health import Part, prober

_FIGURES: Final = {
    ("engine", "queue"): ("exchange_engine_queue_length", "Commands that wait for the engine"),
    ("engine", "memory"): ("exchange_engine_memory_bytes", "Memory that its Redis uses"),
    ("engine", "memory_limit"): (
        "exchange_engine_memory_limit_bytes",
        "The maxmemory of its Redis; 0 where there is none",
    ),
    ("engine", "dead_letters"): (
        "exchange_engine_dead_letters",
        "Commands that it failed on and gave up",
    ),
    ("publisher", "lag"): ("exchange_publisher_lag", "Journal entries not yet published"),
    ("projector", "sequence"): ("exchange_journal_sequence", "The journal's newest entry"),
    ("projector", "lag"): ("exchange_projector_lag", "Journal entries not yet projected"),
    ("projector", "lag_ms"): (
        "exchange_projector_lag_milliseconds",
        "How long the first of them has waited",
    ),
    ("follower", "sequence"): ("exchange_snapshot_sequence", "Entry of the newest snapshot"),
    ("follower", "age_ms"): ("exchange_snapshot_age_milliseconds", "Age of the newest snapshot"),
    ("follower", "lag"): ("exchange_snapshot_lag", "Journal entries since the newest snapshot"),
    ("follower", "lag_ms"): (
        "exchange_snapshot_lag_milliseconds",
        "How long the first of them has waited for a snapshot",
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
            if parts[name].get(figure) is not None:
                yield GaugeMetricFamily(metric, documentation, value=parts[name][figure])
        yield from _presence(parts["engine"])


def _presence(engine: Part) -> Iterator[Metric]:
    """Which engine leads, with its epoch as the value; who stands by, with its lag."""
    labels = ["instance", "pid"]
    leads = GaugeMetricFamily(
        "exchange_engine_epoch", "Epoch of the engine that leads", None, labels
    )
    if leader := engine.get("leader"):
        leads.add_metric([leader["instance"], str(leader["pid"])], leader["epoch"])
    yield leads
    standbys = engine.get("standbys", [])
    yield GaugeMetricFamily("exchange_engine_standbys", "Engines that stand by", len(standbys))
    lag = GaugeMetricFamily(
        "exchange_engine_standby_lag", "Journal entries that a standby is behind", None, labels
    )
    for standby in standbys:
        lag.add_metric([standby["instance"], str(standby["pid"])], standby["lag"])
    yield lag


REGISTRY.register(ExchangeCollector())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
