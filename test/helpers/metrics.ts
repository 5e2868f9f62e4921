// Prometheus' text format, read by a test.

export interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;

/** Of one metric: a histogram's `_bucket`, `_sum` and `_count` are its samples too. */
export function samples(text: string, metric: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    const isOwn = name === metric || /^_(bucket|sum|count)$/.test(name.replace(metric, ''));
    return isOwn && name.startsWith(metric) ? [{ name, labels, value: Number(value) }] : [];
  });
}

export const labelsIn = (labels: string): string[] =>
  [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label);

export function helpAndTypes(text: string): { name: string; type: string; help: string }[] {
  return [...text.matchAll(/^# HELP (\w+) (.*)\n# TYPE \w+ (\w+)$/gm)].map(
    ([, name = '', help = '', type = '']) => ({ name, type, help }),
  );
}
