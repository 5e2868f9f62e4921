// What operators import (alert rules, dashboard) names only metrics that we expose, and is understood by Prometheus.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { fullName, type MetricSpec, metricNames, PREFIX, specOf } from '../../src/metrics/table.ts';
import { findPromtool } from '../helpers/test-tools.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const fileOf = (name: string): string => new URL(`../../ops/${name}`, import.meta.url).pathname;
const read = (name: string): string => readFileSync(fileOf(name), 'utf8');

const rules = (parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((g) => g.rules);
const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
  panels: Panel[];
  templating: { list: { query: unknown }[] };
};
const panelExprs = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** The names under which Prometheus keeps one metric. */
const seriesOf = (name: string, { type }: MetricSpec): string[] =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];

const known = new Map(
  metricNames.flatMap((metric) => {
    const spec = specOf(metric);
    return seriesOf(fullName(metric), spec).map((series) => [series, spec] as const);
  }),
);

const usedIn = (expr: string): string[] => expr.match(new RegExp(`${PREFIX}\\w+`, 'g')) ?? [];

/** Each `metric{label="…"}`, and the labels that `by (…)` keeps. */
const labelsIn = (expr: string): { metric: string; label: string }[] =>
  [...expr.matchAll(new RegExp(`(${PREFIX}\\w+)\\{([^}]*)\\}`, 'g'))].flatMap(([, metric = '', inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => ({ metric, label })),
  );

/** Prometheus' own. */
const TARGET_LABELS = ['job', 'instance', 'le'];

const promtool = findPromtool();
const hasPromtool = promtool !== undefined;

/** Throws with promtool's words. */
function checkByPromtool(args: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ops-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return execFileSync(promtool ?? 'promtool', [...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const exprs = [...rules.map(({ expr }) => expr), ...panelExprs];

describe('ops/', () => {
  test.each(exprs)('names only metrics and labels of the table: %s', (expr) => {
    const used = usedIn(expr);
    expect(used).not.toEqual([]);
    expect(used.filter((series) => !known.has(series))).toEqual([]);
    const labels = labelsIn(expr).filter(({ label }) => !TARGET_LABELS.includes(label));
    for (const { metric, label } of labels)
      expect(Object.keys(known.get(metric)?.labels ?? {})).toContain(label);
    const kept = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
    const possible = used.flatMap((series) => Object.keys(known.get(series)?.labels ?? {}));
    expect(kept.filter((label) => !TARGET_LABELS.includes(label) && !possible.includes(label))).toEqual([]);
  });

  test('the dashboard shows every metric', () => {
    const shown = new Set(panelExprs.flatMap(usedIn));
    const missing = metricNames.filter(
      (metric) => !seriesOf(fullName(metric), specOf(metric)).some((series) => shown.has(series)),
    );
    expect(missing).toEqual([]);
  });

  test('the dashboard’s panels have ids of their own and titles', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title } of dashboard.panels) expect(title).not.toBe('');
    expect(JSON.stringify(dashboard.templating.list)).toContain(`label_values(${fullName('redis_up')}, job)`);
  });

  test('each alert has a name of its own, a severity, and says what is the matter and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { labels, annotations } of rules) {
      expect(labels.severity).toMatch(/^(warning|critical)$/);
      expect(annotations.summary.length).toBeGreaterThan(5);
      expect(annotations.description.length).toBeGreaterThan(20);
    }
  });

  test(`Prometheus understands all expressions (${hasPromtool ? 'by promtool' : 'promtool is not installed: brackets and quotes only'})`, () => {
    if (hasPromtool) {
      const asRules = panelExprs.map((expr, i) => ({
        record: `panel:${i}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
      }));
      const files = {
        'alerts.yml': read('alerts.yml'),
        'panels.yml': stringify({ groups: [{ name: 'panels', rules: asRules }] }),
      };
      const said = checkByPromtool(['check', 'rules', 'alerts.yml', 'panels.yml'], files);
      expect(said.match(/SUCCESS: (\d+) rules found/g)).toEqual([
        `SUCCESS: ${rules.length} rules found`,
        `SUCCESS: ${asRules.length} rules found`,
      ]);
      return;
    }
    for (const expr of exprs) {
      for (const [open, close] of ['()', '{}', '[]'].map((pair) => [...pair]))
        expect(expr.split(open ?? '').length).toBe(expr.split(close ?? '').length);
      expect(expr.split('"').length % 2).toBe(1);
    }
  });

  test(`alerts fire and keep silent as they should (${hasPromtool ? 'by promtool' : 'promtool is not installed: not played, only present'})`, () => {
    const names = [
      'RunCloudDomainsJobsNotTaken',
      'RunCloudDomainsCertificateExpiring',
      'RunCloudDomainsNoWorker',
    ];
    expect(rules.map(({ alert }) => alert)).toEqual(expect.arrayContaining(names));
    if (!hasPromtool) return;
    const said = checkByPromtool(['test', 'rules', 'play.yml'], {
      'alerts.yml': read('alerts.yml'),
      'play.yml': stringify({ rule_files: ['alerts.yml'], evaluation_interval: '1m', tests: plays }),
    });
    expect(said).toContain('SUCCESS');
  });
});

const series = (metric: string, labels: string, values: string) => ({
  series: `${PREFIX}${metric}{job="d",instance="a"${labels && `,${labels}`}}`,
  values,
});
const fires = (alertname: string, isFiring: boolean, more: object = {}) => ({
  alertname,
  eval_time: '90m',
  exp_alerts: isFiring
    ? [{ exp_labels: { job: 'd', severity: 'critical', ...more }, exp_annotations: annotationsOf[alertname] }]
    : [],
});
const annotationsOf: Readonly<Record<string, object>> = {
  RunCloudDomainsJobsNotTaken: {
    summary: 'A job is due for 10m 0s and no worker takes it',
    description: rules.find(({ alert }) => alert === 'RunCloudDomainsJobsNotTaken')?.annotations.description,
  },
  RunCloudDomainsCertificateExpiring: {
    summary: 'A certificate has 10% of its lifetime left',
    description: rules.find(({ alert }) => alert === 'RunCloudDomainsCertificateExpiring')?.annotations
      .description,
  },
};
const plays = [
  {
    interval: '1m',
    input_series: [
      series('queue_oldest_due_seconds', '', '600x100'),
      series('pauses', 'scope="all"', '0x100'),
      series('api_unavailable', 'reason="outage"', '0x100'),
      series('certificate_lifetime_left_ratio', '', '0.1x100'),
      series('workers', '', '1x100'),
    ],
    alert_rule_test: [
      fires('RunCloudDomainsJobsNotTaken', true),
      fires('RunCloudDomainsCertificateExpiring', true),
      fires('RunCloudDomainsNoWorker', false),
    ],
  },
  ...['pauses|scope="all"', 'api_unavailable|reason="credentials"'].map((why) => {
    const [metric = '', labels = ''] = why.split('|');
    return {
      interval: '1m',
      input_series: [series('queue_oldest_due_seconds', '', '600x100'), series(metric, labels, '1x100')],
      alert_rule_test: [fires('RunCloudDomainsJobsNotTaken', false)],
    };
  }),
];
