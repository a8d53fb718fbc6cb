import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * How often the event loop's delay is looked at. Left to itself, it wakes every idle service a hundred times a second, at the cost of those that
 * share its cores. The figures contain this time: `nodejs_eventloop_lag_*` of an idle service is 0.1 s.
 */
const EVENT_LOOP_LOOK_MS = 100;

const registries = new Map<string, Registry>();

/**
 * The registry of `service`; the same one at every call. One per service and not one per process, so that a process which
 * runs several services still says whose figure it is: every series carries the label `service`.
 */
export function metrics(service: string): Registry {
  let registry = registries.get(service);
  if (!registry) {
    registry = new Registry();
    registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_LOOK_MS });
    registries.set(service, registry);
  }
  return registry;
}

interface MetricDefinition<L extends string> {
  /** `patchwatch_<what>_<unit>`; counters end in `_total`. */
  readonly name: string;
  /** One line for whoever reads the figure. */
  readonly help: string;
  readonly labelNames?: readonly L[];
}

/** The counter of that name in `registry`, made at the first call. So a service can be started twice in one process. */
export function counter<L extends string = never>(registry: Registry, definition: MetricDefinition<L>): Counter<L> {
  const known = registry.getSingleMetric(definition.name) as Counter<L> | undefined;
  return known ?? new Counter<L>({ ...metricOptions(definition), registers: [registry] });
}

/** The gauge of that name in `registry`, made at the first call. */
export function gauge<L extends string = never>(registry: Registry, definition: MetricDefinition<L>): Gauge<L> {
  const known = registry.getSingleMetric(definition.name) as Gauge<L> | undefined;
  return known ?? new Gauge<L>({ ...metricOptions(definition), registers: [registry] });
}

/** The histogram of that name in `registry`, made at the first call. `buckets` in the unit that the name ends in. */
export function histogram<L extends string = never>(
  registry: Registry,
  definition: MetricDefinition<L> & { readonly buckets: readonly number[] },
): Histogram<L> {
  const known = registry.getSingleMetric(definition.name) as Histogram<L> | undefined;
  return (
    known ?? new Histogram<L>({ ...metricOptions(definition), buckets: [...definition.buckets], registers: [registry] })
  );
}

function metricOptions<L extends string>(
  definition: MetricDefinition<L>,
): { name: string; help: string; labelNames: L[] } {
  return { name: definition.name, help: definition.help, labelNames: [...(definition.labelNames ?? [])] };
}
