// The network of an address, and its rate limit.
import { describe, expect, test } from '@jest/globals';
import { blockOf, isLoopbackAddress, networkOf } from '../../src/listening/network.ts';
import { createRate } from '../../src/server/rate.ts';

describe('networkOf', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['2002:c000:207:1:2:3:4:5', '192.0.2.7'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['[2001:db8:1:2::1]:4711', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
    ['no address', 'no address'],
  ])('%s counts as %s', (address, network) => expect(networkOf(address)).toBe(network));

  test('a block is what one provider gives to one customer', () => {
    expect(blockOf('2001:db8:1:2::1')).toBe('2001:db8:1::/48');
    expect(blockOf('192.0.2.7')).toBe('192.0.2.7');
  });

  test.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['::2', false],
    ['1::1', false],
    ['192.0.2.1', false],
  ])('%s is this machine itself: %s', (address, is) => expect(isLoopbackAddress(address)).toBe(is));
});

describe('a rate', () => {
  const createClock = () => {
    const clock = { at: 0 };
    return { clock, now: () => clock.at };
  };

  test('allows a minute’s worth at once, then evenly', () => {
    const { clock, now } = createClock();
    const rate = createRate(3, now);
    expect([rate.take('a'), rate.take('a'), rate.take('a')]).toEqual([0, 0, 0]);
    expect(rate.take('a')).toBe(20_000);
    expect(rate.take('b')).toBe(0);
    clock.at = 20_000;
    expect([rate.take('a'), rate.take('a')]).toEqual([0, 20_000]);
  });

  test('lets what costs more than is left pass once, and has it waited for', () => {
    const { clock, now } = createClock();
    const rate = createRate(60, now);
    expect(rate.take('a', 100)).toBe(0);
    expect(rate.take('a', 100)).toBe(41_000);
    clock.at = 41_000;
    expect([rate.take('a'), rate.take('a')]).toEqual([0, 1000]);
  });

  test('forgets the key that was used least recently if there are too many', () => {
    const { now } = createClock();
    const rate = createRate(1, now, 2);
    for (const key of ['a', 'b', 'c']) rate.take(key);
    expect([rate.take('b'), rate.take('c')]).toEqual([60_000, 60_000]);
    expect(rate.take('a')).toBe(0);
  });
});
