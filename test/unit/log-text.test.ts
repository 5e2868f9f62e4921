// What of RunCloud's log may be told to the people of one domain, and what of it speaks of certificates at all.
import { describe, expect, test } from '@jest/globals';
import { namesInTroubles, toLogText, troublesIn } from '../../src/certificates/log-text.ts';

const entry = (content: string, kind = 'Warning') => ({ kind, content, at: undefined });
const NAMES = ['shop.example.com', 'www.shop.example.com'];
const text = (...contents: string[]) =>
  toLogText(
    contents.map((content) => entry(content)),
    NAMES,
  );
const lines = (...contents: string[]) => ({
  kind: 'lines',
  text: contents.map((content) => `"${content}"`).join(', '),
});

describe('a line about a certificate', () => {
  test.each([
    'SSL failed for shop.example.com: domain is not found in the selected DNS provider',
    'SSL failed for SHOP.Example.com',
    'SSL failed for www.shop.example.com.',
    'DNS record _acme-challenge.shop.example.com could not be written',
    'ACME error at https://acme-v02.api.letsencrypt.org/acme/order/1',
    'Certificate: 203.0.113.7 timed out, see RunCloud v2.1',
    'domain is not found in the selected DNS provider',
  ])('that names nobody else is shown: %s', (content) => {
    expect(text(content)).toEqual(lines(content));
  });

  test.each([
    'SSL failed for bigshop.example',
    'SSL failed for shop.example.com, bigshop.example',
    'SSL failed for BIGSHOP.EXAMPLE',
    'SSL failed for a.shop.example.com',
    'SSL failed for example.com',
    'SSL failed for notshop.example.com',
    'SSL failed for shop.example.com.evil.example',
    'SSL failed for bücher.example',
    'SSL failed for xn--bcher-kva.xn--p1ai',
    'SSL failed for bigshop。example',
    'SSL failed: http://bigshop.example/.well-known/acme-challenge/x',
    'SSL failed, mail sent to owner@bigshop.example',
    'SSL failed for *.bigshop.example',
    'SSL failed for letsencrypt.org.bigshop.example',
  ])('that names somebody else is only pointed to: %s', (content) => {
    expect(text(content)).toEqual({ kind: 'elsewhere' });
  });

  test('that names this domain comes before one that names nobody, and two are enough', () => {
    const own = [
      'SSL failed for shop.example.com',
      'DNS of shop.example.com is wrong',
      'CAA of shop.example.com',
    ];
    expect(text('ACME order failed', ...own)).toEqual(lines(...own.slice(0, 2)));
    expect(text('ACME order failed', 'SSL failed for bigshop.example')).toEqual(lines('ACME order failed'));
  });

  test('is said once, however often the log has it', () => {
    expect(text('ACME order failed', 'ACME order failed')).toEqual(lines('ACME order failed'));
  });
});

test.each<[string, string | undefined, boolean]>([
  ['Web application has been deployed', 'Info', false],
  ['SSL certificate deployed', 'Info', false],
  ['SSL certificate could not be deployed', 'Info', true],
  ['SSL certificate will be renewed', 'High Priority Info', true],
  ['Database shop has been deleted', 'Warning', false],
  ['Certificate problem', undefined, true],
])('%s (%s): a reason for a failed certificate? %s', (content, kind, expected) => {
  expect(troublesIn([{ kind, content, at: undefined }])).toHaveLength(expected ? 1 : 0);
});

describe('names of a certificate in lines about its failure:', () => {
  const names = ['network.example.org', ...NAMES];
  test.each<[string, string, string[]]>([
    ['one', 'Failed to deploy SSL certificate: could not validate shop.example.com', ['shop.example.com']],
    ['the www name alone', 'SSL failed for www.shop.example.com', ['www.shop.example.com']],
    [
      'its challenge',
      'DNS record _acme-challenge.SHOP.example.com could not be written',
      ['shop.example.com'],
    ],
    ['a name below it is another one', 'SSL failed for a.shop.example.com', []],
    ['a line about something else', 'Backup of shop.example.com failed', []],
    ['all of them, which tells them not apart', `SSL failed for ${names.join(', ')}`, []],
  ])('%s', (_, content, expected) => {
    expect(namesInTroubles([entry(content)], names)).toEqual(expected);
  });
});
