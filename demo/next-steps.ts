// Commands to try next, from the project's folder. With --keep they use the running demo.
import { CONTROL_PREFIX, DEFAULT_PRIMARY_DOMAIN, type Simulator } from '../packages/simulator/src/index.ts';
import { domains, HERE } from './cast.ts';
import { type DemoRedis, toConnection } from './environment.ts';
import type { Screen } from './screen.ts';

type Step = readonly [command: string, why: string];

function show(screen: Screen, steps: readonly Step[]): void {
  const width = Math.max(...steps.map(([command]) => command.length));
  for (const [command, why] of steps) screen.pair(command, width, why);
}

export function showNextSteps(screen: Screen): void {
  screen.heading('Try next');
  screen.blank();
  show(screen, [
    ['npm run demo -- --keep', 'the same, and it stays up to try commands against'],
    ['npm run -s cli -- --help', 'all commands'],
    ['npm run -s cli -- simulate', 'only the simulated RunCloud'],
    ['npm test', 'all tests'],
  ]);
  screen.blank();
  screen.text('Next: docs/start/getting-started.md.');
}

/** A password that the user has put into REDIS_URL is not for the screen. */
const isShowable = (url: string): boolean => new URL(url).password === '';

export function showSecondTerminal(screen: Screen, redis: DemoRedis, simulator: Simulator): void {
  const { REDIS_URL: url = '', ...others } = toConnection(redis, simulator);
  screen.heading('It stays up. In a second terminal, in this folder, first:');
  screen.blank();
  if (isShowable(url)) screen.row(`  export REDIS_URL=${url}`);
  for (const [name, value] of Object.entries(others)) screen.row(`  export ${name}=${value}`);
  if (!isShowable(url)) screen.row('  and the REDIS_URL that you gave to this demo');
  screen.heading('Then, for example:');
  screen.blank();
  show(screen, [
    ['npm run -s cli -- status', 'all domains and jobs'],
    [`npm run -s cli -- status ${domains.never}`, 'why it is held, and who must act'],
    ['npm run -s cli -- add blog.my-shop.example', 'one more domain; it waits for its DNS'],
    [`npm run -s cli -- remove ${DEFAULT_PRIMARY_DOMAIN} --wait`, 'fails: never the primary domain'],
    ['npm run -s cli -- failed', 'failed jobs, and why'],
    ['npm run -s cli -- doctor', 'is everything set up?'],
  ]);
  screen.heading("Be the customer: set the name's DNS, and see here how the domain goes live.");
  screen.blank();
  screen.row(`  curl -s ${simulator.url}${CONTROL_PREFIX}/dns \\`);
  screen.row(`    -d '${JSON.stringify({ name: domains.never, ...HERE })}'`);
  screen.heading('Ctrl-C here stops everything.');
  screen.blank();
}
