// What RunCloud's documents leave open, one row per question: the possible answers (the first is the
// default), what it changes, and where the question comes from. It has no behaviour.

const choice = <const V extends readonly [string, ...string[]]>(
  values: V,
  about: string,
  source: string,
) => ({
  values,
  about,
  source,
});

/** "Unknown" in a source column is the reference's last section, "Unknown / not found". */
export const VARIANT_TABLE = {
  // Domains
  createStatus: choice(['200', '201'], 'Status of every POST that creates', 'section 4; Unknown, line 2'),
  attachReply: choice(['domain', 'wrapped', 'empty'], 'Body of POST domains', 'section 4 [D] api-8617111'),
  changeReply: choice(
    ['message', 'empty', 'domain', '204'],
    'Body of PATCH domains/{d}/meta',
    'section 4 [D] api-8617114',
  ),
  changeOnV2: choice(['404', 'as-v3'], 'Whether v2 has PATCH domains/{d}/meta', 'section 4 [D]: on v3'),
  changeFields: choice(
    ['any', 'all'],
    'Whether PATCH domains/{d}/meta takes one field, or wants type, redirection and www',
    'section 13 [L] sent all three',
  ),
  twinName: choice(
    ['accepted', 'refused'],
    'A name that is the www name of another domain already, or www where that name is a domain itself',
    'section 4: uniqueness not found',
  ),
  deleteReply: choice(['domain', 'empty', '204'], 'Reply to DELETE domain', 'section 4 [D] api-8617116'),
  deleteUnknown: choice(['404', '422', '200-empty'], 'DELETE of an id not there', 'Unknown, line 4'),
  deletePrimary: choice(['422', '403', 'allowed'], 'DELETE of the primary domain', 'Unknown, line 4'),
  duplicateReply: choice(
    ['422-message', '422-errors', '409', '400', '200-existing'],
    'POST of a name that is already there',
    'section 4; Unknown, line 3',
  ),
  duplicateScope: choice(['webapp', 'server', 'account'], 'Where a name must be unique', 'Unknown, line 3'),
  domainFields: choice(
    ['full', 'without-type', 'minimal'],
    'Fields of a domain object; minimal is id, name, created_at',
    'section 4, v2 SDK; Unknown, line 6',
  ),
  domainStatus: choice(['null', 'active', 'pending'], 'Field `status` of a domain', 'Unknown, line 6'),
  nameCase: choice(['lower', 'as-sent'], 'How a mixed-case name is stored', 'Unknown, line 3'),
  idnReply: choice(['ascii', 'unicode'], 'How an xn-- name is written in replies', 'Unknown, line 3'),
  certificateOnDetach: choice(
    ['kept', 'name-dropped'],
    'Whether deleting a domain takes its names off the certificate',
    'section 4; Unknown, line 4',
  ),

  // Lists
  metaShape: choice(
    ['pagination', 'lastPage', 'laravel', 'none'],
    'meta.pagination.total_pages, meta.lastPage, meta.current_page/last_page, or no meta',
    'section 3; Unknown, line 5',
  ),
  metaLinks: choice(
    ['urls', 'empty', 'array'],
    'Content of meta.pagination.links: `next` (and `previous`) where there are such pages, or nothing',
    'section 13 [L]; section 3',
  ),
  defaultPerPage: choice(
    ['20', '15'],
    'Rows per page where the request names no perPage (the log: always 15)',
    'section 3 [D]; section 13 [D] api-9849787',
  ),
  perPageRequested: choice(
    ['honoured', 'ignored'],
    'Query `perPage`; ignored: always the default',
    'section 13 [L]: pages shorter than requested',
  ),
  logOrder: choice(['newest-first', 'oldest-first'], 'Order of the log', 'section 13; [C] glama-useful'),
  perPageOver40: choice(['clamp', '422'], 'A perPage above 40', 'section 3; Unknown, line 5'),
  domainSearch: choice(['ignored', 'filters'], 'Query `search` on domains', 'Unknown, line 5'),
  listOrder: choice(['oldest-first', 'newest-first'], 'Order of a list', 'nowhere stated'),

  // Bodies in general
  singleObjects: choice(
    ['flat', 'wrapped'],
    'Single objects as they are or in `data`',
    'sections 8 and 12.2',
  ),
  booleans: choice(
    ['as-documented', 'numbers', 'booleans'],
    'Documented: 0/1 in domains, true/false elsewhere',
    'section 4 [D]; section 12.2',
  ),
  numbers: choice(['numbers', 'strings'], 'Numbers, or numeric strings, ids too', 'not stated; usual of PHP'),
  errorBody: choice(
    ['message', 'empty', 'html'],
    'Body of 403, 404 and 5xx; html: of 5xx only',
    'section 7; Unknown, line 10',
  ),

  // Basic SSL
  sslShape: choice(
    ['as-documented', 'flat', 'nested', 'wrapped'],
    'GET ssl with a certificate; documented: v2 flat, v3 one row per domain',
    'section 5; Unknown, line 7',
  ),
  noSsl: choice(
    ['as-documented', 'message-200', 'message-404', 'rows-null', 'empty-404', '422'],
    'GET ssl without a certificate; documented: v2 message (200), v3 rows with ssl null',
    'section 5; Unknown, line 7',
  ),
  nestedUncovered: choice(
    ['null', 'shared'],
    'Nested rows in basic mode: ssl of a name that the certificate does not cover',
    'section 5, last bullets; Unknown, line 7',
  ),
  sslRowsPaged: choice(['all', 'paged'], 'Nested rows all at once or by page and perPage', 'section 5; 3'),
  sslDates: choice(['sql', 'iso', 'unix'], 'Format of validUntil and renewalDate', 'section 5'),
  redeploy: choice(['async', 'sync'], 'Answer at once, or only after the issuance lag', 'Unknown, line 8'),
  redeployReply: choice(['ssl', 'empty', 'message', '204'], 'Reply to PUT ssl', 'section 5; Unknown, line 8'),
  sslWriteReply: choice(['ssl', 'empty', 'message', '204'], 'Reply to POST, PATCH, DELETE ssl', 'section 5'),
  redeployNames: choice(
    ['all-attached', 'unchanged'],
    'Names in a redeployed certificate; unchanged: only DELETE and POST takes up new names',
    'section 5, "How to re-issue"; Unknown, line 8',
  ),
  sslIdOnRedeploy: choice(['kept', 'new'], 'Whether a redeploy changes the SSL id', 'section 5, replies'),
  concurrentIssuance: choice(
    ['accepted', '409', '422'],
    'Redeploy or install while one is under way',
    'section 5; Unknown, line 8',
  ),
  firstIssuance: choice(
    ['visible', 'hidden'],
    'Whether GET ssl shows a first certificate that is not issued yet',
    'section 5: no status field documented',
  ),
  methodOnBasicPatch: choice(
    ['persisted', 'ignored'],
    'PATCH ssl/{id} with authorizationMethod; that of one domain persists',
    'section 13 [L] saw the per-domain route only',
  ),
  installOverExisting: choice(['422', 'replaces'], 'POST ssl over a live certificate', 'section 5 [F] PBAC'),

  // Advanced SSL
  advancedStatus: choice(
    ['200', '404', '403'],
    'ssl/advanced of a basic-mode web application; 404 and 403: an API or plan without it',
    'section 6; Unknown, line 7',
  ),
  domainSslInBasicMode: choice(
    ['422', '403', '404'],
    'Per-domain SSL routes in basic mode',
    'Unknown, line 9',
  ),
  basicSslInAdvancedMode: choice(
    ['422', '404', '200-transient'],
    'Basic SSL writes in advanced mode; 200-transient: accepted, and what they make replaces nothing',
    'Unknown, line 9; section 13 [L]',
  ),
  domainSslShape: choice(['flat', 'wrapped', 'nested'], 'GET domains/{d}/ssl', 'section 6; Unknown, line 9'),
  noDomainSsl: choice(
    ['404', '422', 'message-200', 'null-200'],
    'The same without one',
    'section 6, Ansible',
  ),
  domainSslReply: choice(
    ['empty', 'ssl', 'message', '204'],
    'Reply to every write under domains/{d}/ssl',
    'section 6 [D] shows {}',
  ),
  certificateOnSwitch: choice(
    ['removed', 'kept'],
    'Certificates after basic/advanced is switched',
    'Unknown, line 9',
  ),
  autoSslOnAttach: choice(['issues', 'never'], 'What AutoSSL does for a new domain', 'Unknown, line 9'),

  // Let's Encrypt behind RunCloud
  validation: choice(
    ['none', 'http-01'],
    'Whether each name of an order has to resolve to the server, in the simulated DNS',
    'section 5, "One domain’s DNS is wrong"; section 9',
  ),
  badName: choice(
    ['blocks-all', 'left-out'],
    'A name that does not validate fails the whole order, or is left out of the certificate',
    'section 5 [I], rehmatworks #13; Unknown, line 8',
  ),
  issuanceFailure: choice(
    ['silent', '422'],
    'A failed order is silent, or RunCloud checks first and refuses without naming the failing name',
    'section 10, rehmatworks #10; Unknown, line 8',
  ),

  // Limits and headers
  retryAfter: choice(
    ['none', 'seconds', 'date', 'text'],
    'Retry-After of a 429',
    'section 2; Unknown, line 1',
  ),
  rateLimitBody: choice(['message', 'empty', 'html'], 'Body of a 429', 'section 2; Unknown, line 1'),
  rateLimitHeaders: choice(['sent', 'absent'], 'X-RateLimit-Limit and -Remaining', 'section 2 [D] v2 page'),
  quotaReply: choice(['429', '403', '402'], 'A call after the monthly quota', 'section 2; Unknown, line 1'),
  requestBodies: choice(
    ['json-only', 'form-too'],
    'Whether a form-encoded body is read as well',
    'section 11: WPU-v2 sends such, for years',
  ),
  contentTypeOn: choice(
    ['body-only', 'every-request'],
    'Which requests need Content-Type: application/json',
    'section 1 [D] v3 says every one; section 13: nine live scripts read without it',
  ),
} as const;
