// The rule of src/domains/sentences.ts, checked on the snapshots of the messages that become reasons.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** The texts of a snapshot, as `key` and `text`; the items of a list have the key of the list. */
function textsOf(subject: string): { readonly key: string; readonly text: string }[] {
  const file = new URL(`./__snapshots__/${subject}-messages.test.ts.snap`, import.meta.url);
  let key = '';
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      key = /^ {2}"(\w+)":/.exec(line)?.[1] ?? key;
      const [, text] = /^ +(?:"[\w-]+": )?"(.*)",$/.exec(line) ?? [];
      return text ? [{ key, text: text.replaceAll('\\`', '`') }] : [];
    });
}

const subjects = ['domains', 'jobs', 'https', 'redeploy', 'queue', 'probes', 'runcloud', 'rate-limit'];

/** Parts of sentences. Commands follow the end of `elsewhere`. */
const parts =
  /^(changedByOthers|adviseHttp01|describe\w+|elsewhere|list|outcome|pauseInForce|reasonMissing|reconcile\w+|redirectionIs|started|monitorFailed|untilPast|waitingFor|withoutWwwName|wwwIs)$/;

/** `shop.example.org`, `www.shop.example.org: …`, `x~2` */
const NAME = /^[a-z\d-]+[.~]\S/;

test.each(subjects)(
  '%s: a sentence begins with a capital letter or a name; several end with full stops',
  (subject) => {
    const texts = textsOf(subject).filter(({ key }) => !parts.test(key));
    expect(texts.length).toBeGreaterThan(4);
    for (const { text } of texts) {
      expect(text).toMatch(new RegExp(`^[A-Z]|${NAME.source}`));
      if (/[a-z\d)`]\. [A-Z]/.test(text)) expect(text).toMatch(/[.…]$/);
    }
  },
);
