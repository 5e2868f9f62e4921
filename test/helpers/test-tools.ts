// Programs that some tests need and most machines lack. A person's tests are skipped without them; CI's never: there they are
// installed first, as Redis is everywhere.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptGet, aptInstall, findProgram, isExecutable, runQuietly, type Say } from '../../scripts/apt.ts';

const folder = fileURLToPath(new URL('../../.cache/promtool', import.meta.url));
const unpacked = join(folder, 'usr/bin/promtool');

/** A browser of Chromium's family. */
export const findBrowser = (): string | undefined =>
  findProgram('chromium', 'chromium-browser', 'google-chrome');

/** Prometheus' checker. */
export const findPromtool = (): string | undefined =>
  findProgram('promtool') ?? (isExecutable(unpacked) ? unpacked : undefined);

export async function provideTestTools(say: Say): Promise<void> {
  const apt = process.env.CI ? aptGet() : undefined;
  if (!apt) return;
  if (!findBrowser()) {
    say('No browser here: installing chromium for the tests of the board ...');
    const { ok, output } = await aptInstall(apt, 'chromium');
    if (!ok) say(`That did not work: ${output.slice(-500)}`);
  }
  if (!findPromtool()) {
    say('No promtool here: fetching the one of the package prometheus, of which nothing is installed ...');
    await unpackPromtool();
  }
}

// Not installed: the package would start a server.
async function unpackPromtool(): Promise<void> {
  await mkdir(folder, { recursive: true });
  const download = ['apt-get', 'download', 'prometheus'];
  if (!(await runQuietly(download, folder)).ok) {
    await runQuietly(['apt-get', 'update', '-qq']);
    await runQuietly(download, folder);
  }
  const unpack =
    'dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool; rm -f prometheus_*.deb';
  await runQuietly(['sh', '-c', unpack], folder);
}
