// What every npm script of this project runs: node scripts/run.mjs <target> [args...].
// Must stay readable by old versions of Node: all it does itself is to refuse those that are too old.
var major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  process.stderr.write(
    `runcloud-domains: this is Node.js ${process.versions.node}; install Node.js 24 (or any from 20 on,` +
      ' which then fetches 24 for this project alone) and run the same command again.\n',
  );
  process.exit(1);
}
import('./run/main.mjs').then((program) => program.main(process.argv.slice(2)));
