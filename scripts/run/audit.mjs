// `npm run audit`: whether the registry knows of severe vulnerabilities in what the package brings to production. Some registries answer
// no such question: then nothing was checked, and this says so.
import { askNpm } from './npm.mjs';

const print = (line) => process.stdout.write(`${line}\n`);

const isSevere = ({ severity }) => ['high', 'critical'].includes(severity);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Returns the exit code: 1 where something high or critical is known. `node` runs npm. */
export function audit(node) {
  const { out, err } = askNpm(['audit', '--omit=dev', '--json'], node);
  const { auditReportVersion, vulnerabilities, message } = parse(out);
  if (auditReportVersion === undefined) {
    print(
      `Not audited: the registry does not answer (${message ?? (err.trim().split('\n')[0] || 'no reason given')}).`,
    );
    return 0;
  }
  // Packages with an advisory of their own; npm also lists all that depend on them, and names those by a text.
  const severe = Object.values(vulnerabilities).filter(({ via }) => via.some(isSevere));
  for (const { name, severity } of severe) print(`${severity}: ${name}; \`npm audit --omit=dev\` says more`);
  print(`Audited: ${severe.length} of the packages for production with a high or critical vulnerability.`);
  return severe.length > 0 ? 1 : 0;
}
