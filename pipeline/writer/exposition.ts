/** Prometheus's text exposition format, of which the metrics of writers and audits need samples and families. */

/** One sample. */
export const line = (name: string, value: number, labels?: Readonly<Record<string, string>>): string => {
  const inner = Object.entries(labels ?? {}).map(([key, text]) => `${key}="${text}"`)
  return `${name}${inner.length === 0 ? "" : `{${inner.join(",")}}`} ${value}`
}

/** Samples of one name; nothing when there are none. */
export const family = (
  name: string,
  type: "counter" | "gauge" | "histogram",
  help: string,
  lines: ReadonlyArray<string>,
): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]

/** A family of one sample; nothing while its value is unknown, which an alert can tell from 0. */
export const single = (
  name: string,
  type: "counter" | "gauge",
  help: string,
  value: number | undefined,
): ReadonlyArray<string> => family(name, type, help, value === undefined ? [] : [line(name, value)])

/** A sample for each value of a label, beside labels that are the same for all. */
export const byLabel = (
  name: string,
  label: string,
  values: ReadonlyMap<string, number>,
  others: Readonly<Record<string, string>> = {},
): ReadonlyArray<string> => [...values].map(([key, value]) => line(name, value, { ...others, [label]: key }))
