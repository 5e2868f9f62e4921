// Commands to try next. Each works as it stands, from the project's folder; with --keep they talk to the running demo.
import { DEFAULT_PRIMARY_DOMAIN, type Simulator } from '../src/simulator/index.ts';
import { type DemoRedis, toConnection } from './environment.ts';
import type { Screen } from './screen.ts';

const COMMAND_WIDTH = 58;

const show = (screen: Screen, steps: readonly (readonly [command: string, why: string])[]): void => {
  for (const [command, why] of steps)
    screen.text(`  ${command.padEnd(COMMAND_WIDTH)} ${why}`, COMMAND_WIDTH + 3);
};

export function showNextSteps(screen: Screen): void {
  screen.heading('Try next');
  screen.blank();
  show(screen, [
    ['npm run demo -- --keep', 'the same, and it stays up to be talked to'],
    ['npm run -s cli -- --help', 'all commands'],
    ['npm run -s cli -- simulate', "only the simulated RunCloud's API"],
    ['npm test', 'all tests'],
  ]);
  screen.blank();
  screen.text('README.md goes on from here to production.');
}

export function showSecondTerminal(screen: Screen, redis: DemoRedis, simulator: Simulator): void {
  screen.heading('It stays up. In a second terminal, in this folder, first:');
  screen.blank();
  const settings = Object.entries(toConnection(redis, simulator)).filter(([name]) => name !== 'REDIS_URL');
  // A URL that the user has given may hold a password, and is known to the user.
  const url = redis.isNamed
    ? 'REDIS_URL="..."   # the one that you have given to this demo'
    : `REDIS_URL=${redis.url}`;
  screen.text(`  export ${url}`);
  for (const [name, value] of settings) screen.text(`  export ${name}=${value}`);
  screen.heading('Then, for example:');
  screen.blank();
  show(screen, [
    ['npm run -s cli -- status', 'how things stand'],
    ['npm run -s cli -- add my-shop.example --wait', 'one more domain; watch it here'],
    [`npm run -s cli -- remove ${DEFAULT_PRIMARY_DOMAIN} --wait`, 'fails: never the primary domain'],
    ['npm run -s cli -- failed', 'what waits for a person, and why'],
    ['npm run -s cli -- doctor', 'is everything set up?'],
  ]);
  screen.heading('Ctrl-C here ends all of it.');
  screen.blank();
}
