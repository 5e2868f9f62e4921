// How a receiver's name becomes addresses: by Node's own resolver, and by the system where the hosts file has the name or DNS has not.
import { expect, test } from '@jest/globals';
import { createLookup } from '../../src/callbacks/lookup.ts';
import { startDnsServer } from '../helpers/dns-server.ts';

const ask = (server: string, name: string, options: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    createLookup({ servers: [server] })(name, options, (error, address, family) => {
      if (error) reject(error);
      else resolve(family ? { address, family } : address);
    });
  });

test('all addresses come back, or the first, or those of the family that is wanted', async () => {
  await using dns = await startDnsServer({ 'app.example.org': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] } });
  const v4 = { address: '192.0.2.1', family: 4 };
  const v6 = { address: '2001:db8::1', family: 6 };
  expect(await ask(dns.address, 'app.example.org', { all: true })).toEqual([v4, v6]);
  expect(await ask(dns.address, 'app.example.org', {})).toEqual(v4);
  expect(await ask(dns.address, 'app.example.org', { family: 6 })).toEqual(v6);
});

test('one family that fails does not keep the other from being used; both failing is an error', async () => {
  await using dns = await startDnsServer({
    'half.example.org': { A: ['192.0.2.1'], AAAA: 'SERVFAIL' },
    'dead.example.org': { A: 'SERVFAIL', AAAA: 'SERVFAIL' },
  });
  expect(await ask(dns.address, 'half.example.org', {})).toEqual({ address: '192.0.2.1', family: 4 });
  await expect(ask(dns.address, 'dead.example.org', {})).rejects.toThrow(/ESERVFAIL/);
});

test('what the hosts file names is asked of the system, and DNS is not asked', async () => {
  await using dns = await startDnsServer();
  expect(await ask(dns.address, 'localhost', { family: 4 })).toEqual({ address: '127.0.0.1', family: 4 });
  expect(dns.questions).toEqual([]);
});

test('what DNS does not know is asked of the system too', async () => {
  await using dns = await startDnsServer();
  await expect(ask(dns.address, 'none.invalid', {})).rejects.toThrow(/getaddrinfo/);
});
