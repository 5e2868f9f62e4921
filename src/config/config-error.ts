// The one error of the configuration: every problem at once, for a person. Must never carry a secret's value.

const list = (heading: string, sentences: readonly string[]): string[] =>
  sentences.length === 0 ? [] : [heading, ...sentences.map((sentence) => `  - ${sentence}`)];

/**
 * `problems` are sentences, one per variable that is wrong; `warnings` may name the cause (a misspelt name).
 * `message` lists them all.
 */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  constructor(problems: readonly string[], warnings: readonly string[] = []) {
    const heading =
      problems.length === 1 ? 'The configuration has a problem:' : 'The configuration has problems:';
    super([...list(heading, problems), ...list('This may be why:', warnings)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    this.warnings = warnings;
  }
}
