// The sentences of the configuration, as people read them.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/config/messages.ts';
import { schema } from '../../src/config/schema.ts';

const { token, key, secret, appId } = schema.runcloud;

test('the sentences of the configuration', () => {
  const sentences: Record<keyof typeof messages, string> = {
    IS_DOCUMENTED_EXAMPLE: messages.IS_DOCUMENTED_EXAMPLE,
    LARGE_PHP: messages.LARGE_PHP,
    NOTHING_READ: messages.NOTHING_READ,
    NO_CERTIFICATE: messages.NO_CERTIFICATE,
    PAIR_IGNORED: messages.PAIR_IGNORED,
    TOKEN_IGNORED: messages.TOKEN_IGNORED,
    aliasDiffers: messages.aliasDiffers('RUNCLOUD_APP_ID', 'WU_RUNCLOUD_APP_ID'),
    brokenCertificate: messages.brokenCertificate(2),
    caWithoutTls: messages.caWithoutTls(schema.redisUrl),
    definedBehind: messages.definedBehind(7, 3, 'may end the script, or jump'),
    definedTwice: messages.definedTwice('WU_RUNCLOUD_APP_ID'),
    exampleOf: messages.exampleOf(appId),
    inFile: messages.inFile('/srv/wp-config.php', messages.NOTHING_READ),
    lineWithoutEffect: messages.lineWithoutEffect(4),
    mentionedInside: messages.mentionedInside(7, 'an if'),
    needs: messages.needs(key, secret),
    noCredentials: messages.noCredentials(token),
    notLiteral: messages.notLiteral(7),
    notPhp: messages.notPhp(7),
    openServer: messages.openServer('0.0.0.0'),
    outdatedHashes: messages.outdatedHashes(['ada', 'eve']),
    pairWithV3: messages.pairWithV3(token),
    partlyLost: [
      messages.partlyLost(4, 'LOG_LEVEL', 'behind-quote'),
      messages.partlyLost(4, 'LOG_LEVEL', 'behind-hash'),
    ].join('\n'),
    readFrom: messages.readFrom('WU_RUNCLOUD_APP_ID', 'RUNCLOUD_APP_ID'),
    readIn: messages.readIn('WU_RUNCLOUD_APP_ID', '/srv/wp-config.php'),
    refusedConstant: messages.refusedConstant(
      appId,
      'WU_RUNCLOUD_APP_ID',
      '/srv/wp-config.php',
      messages.mentionedInside(7, 'an if'),
    ),
    removedName: messages.removedName('BOARD_SESSION'),
    setAgain: messages.setAgain(4, 'LOG_LEVEL', 2),
    similarName: messages.similarName('JOB_ATTEMPTS', 'RETRY_FOR'),
    unknownName: messages.unknownName('RUNCLOUD_X'),
    unreadableDotEnv: messages.unreadableDotEnv('/srv/.env', 'permission denied'),
    unreadableFile: messages.unreadableFile(schema.tls.caFile, '"/srv/ca.pem"', 'no such file'),
  };
  expect(sentences).toMatchSnapshot();
});
