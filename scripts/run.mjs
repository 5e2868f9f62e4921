// Every npm script of this project: node scripts/run.mjs <target> [args...].
// Old versions of Node must be able to parse this file: it rejects those that are too old.
var major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  process.stderr.write(
    `runcloud-domains: this is Node.js ${process.versions.node}. Install Node.js 24 and run the same command again.\n`,
  );
  process.exit(1);
}
import('./run/main.mjs').then((program) => program.main(process.argv.slice(2)));
