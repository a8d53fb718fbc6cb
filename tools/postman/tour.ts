/** One request of the tour. */
export interface Step {
  /** The `operationId` of the description. */
  readonly operation: string;
  readonly expect: number;
  readonly body?: unknown;
  /** Values of path variables that are called otherwise here. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Variables to set afterwards, each by an expression of a Postman test script. */
  readonly save?: Readonly<Record<string, string>>;
}

/** Variables of the collection; the first three are the reader's own. */
export const VARIABLES: readonly (readonly [key: string, value: string])[] = [
  ['baseUrl', 'http://127.0.0.1:8080'],
  ['email', 'admin@patchwatch.example'],
  ['password', ''],
  ['accessToken', ''],
  ['etag', ''],
  ['site_key', ''],
  ['integration_key', ''],
  ['enrolment_key', ''],
  // Ids that are well-formed and nobody's, until the tour has made some.
  ...[
    'organizationId',
    'siteUuid',
    'userId',
    'keyId',
    'invitationId',
    'sessionId',
    'pushId',
    'erasureId',
    'exportId',
  ].map((name) => [name, '00000000-0000-7000-8000-000000000000'] as const),
  ['planCode', 'none'],
  ['name', 'token'],
  ['advisory', 'SA-CORE-2024-003'],
];

const ETAG = "pm.response.headers.get('ETag')";

/** From log-in to a site's exposures, with an organization that is removed at the end. */
export const TOUR: readonly Step[] = [
  {
    operation: 'loginLogin',
    expect: 200,
    body: { email: '{{email}}', password: '{{password}}' },
    save: { accessToken: 'pm.response.json().data.access_token' },
  },
  { operation: 'loginMe', expect: 200 },
  {
    operation: 'organizationCreate',
    expect: 201,
    body: { name: 'Northwind Web', time_zone: 'Europe/Zurich' },
    save: { organizationId: 'pm.response.json().data.id' },
  },
  { operation: 'organizationOne', expect: 200, save: { etag: ETAG } },
  { operation: 'organizationChange', expect: 200, body: { name: 'Northwind Agency' } },
  { operation: 'organizationRevisions', expect: 200 },
  { operation: 'planList', expect: 200 },
  {
    operation: 'siteCreate',
    expect: 201,
    body: { name: 'Town hall', url: 'https://town-hall.example', organization: '{{organizationId}}' },
    save: { siteUuid: 'pm.response.json().data.site.id', site_key: 'pm.response.json().data.key' },
  },
  {
    operation: 'pushInventory',
    expect: 202,
    body: {
      schema: 1,
      site_uuid: '{{siteUuid}}',
      url: 'https://town-hall.example',
      environment: 'prod',
      collected_at: '{{$isoTimestamp}}',
      epoch: 1,
      sequence: 1,
      core: { version: '10.2.7' },
      modules: [{ project: 'token', version: '8.x-1.13', status: 'enabled' }],
    },
    save: { pushId: 'pm.response.json().data.push_id' },
  },
  { operation: 'pushStateState', expect: 200 },
  { operation: 'siteList', expect: 200 },
  { operation: 'siteOne', expect: 200 },
  { operation: 'siteModules', expect: 200 },
  { operation: 'moduleList', expect: 200 },
  { operation: 'advisoryList', expect: 200 },
  { operation: 'exposureList', expect: 200 },
  { operation: 'exposureExport', expect: 200 },
  { operation: 'dashboardOverview', expect: 200 },
  {
    operation: 'integrationKeyCreate',
    expect: 201,
    body: { name: 'Nightly report', scopes: ['sites:read', 'exposures:read'] },
    save: { integration_key: 'pm.response.json().data.key', keyId: 'pm.response.json().data.key_id' },
  },
  { operation: 'integrationKeyList', expect: 200 },
  { operation: 'integrationKeyRevoke', expect: 204 },
  {
    operation: 'enrolmentKeyCreate',
    expect: 201,
    body: { name: 'Roll-out', most_sites: 10 },
    save: { enrolment_key: 'pm.response.json().data.key', keyId: 'pm.response.json().data.key_id' },
  },
  {
    operation: 'enrolmentEnrol',
    expect: 201,
    body: { agent_id: '{{$guid}}', name: 'Library', url: 'https://library.example' },
  },
  { operation: 'enrolmentKeyRevoke', expect: 204 },
  { operation: 'auditList', expect: 200 },
  { operation: 'organizationOne', expect: 200, save: { etag: ETAG } },
  { operation: 'organizationRemove', expect: 204 },
];
