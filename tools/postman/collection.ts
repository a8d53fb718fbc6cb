import converter from 'openapi-to-postmanv2';
import { TOUR, VARIABLES, type Step } from './tour.js';

/** A collection of Postman, format 2.1, as far as it is touched here. */
export interface Collection {
  info: { name: string; description?: unknown; schema?: string; _postman_id?: string };
  item: Item[];
  variable: { key: string; value: string }[];
  event?: unknown;
}

interface Item {
  id?: string;
  name: string;
  item?: Item[];
  request?: {
    method: string;
    url: { path: string[]; query?: Pair[]; variable?: Pair[] };
    header: Pair[];
    body?: { mode: string; raw?: string };
    auth?: { type: string; apikey?: Pair[]; bearer?: Pair[] } | null;
  };
  response?: unknown[];
  event?: { listen: string; script: { type: string; exec: string[] } }[];
}

interface Pair {
  key: string;
  value: unknown;
  disabled?: boolean;
}

/** The description of the API as far as it is read here. */
export interface Described {
  readonly paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly responses: Record<string, unknown>;
}

/**
 * The Postman collection of the API: a tour that can be run from its first request to its last against any Patchwatch, and then every request by
 * subject. Requests of the tour expect to succeed, the others an answer that the description names. The same description makes the same
 * collection.
 * @throws Error when the description cannot be converted, or the tour goes where there is no operation
 */
export async function collectionOf(description: Described): Promise<Collection> {
  const collection = await converted(description);
  const operations = new Map<string, Operation>(
    Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation]),
    ),
  );
  const byId = new Map<string, Item>();
  const subjects = collection.item.map(({ name, item = [] }) => ({
    name,
    item: item.map((one) => {
      const operation = operations.get(addressOf(one));
      if (operation === undefined) throw new Error(`${addressOf(one)} is not in the description`);
      const request = plain(one, operation);
      byId.set(operation.operationId, request);
      return { ...request, event: [afterwards(describedOnly(Object.keys(operation.responses)))] };
    }),
  }));
  const tour = TOUR.map((step, index) => {
    const request = byId.get(step.operation);
    if (request === undefined) throw new Error(`the tour wants ${step.operation}, which is no operation`);
    return onTour(request, step, index + 1);
  });
  return {
    info: {
      name: 'Patchwatch',
      description: 'Set `baseUrl`, `email` and `password`; then run the tour, or single requests after its log-in.',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    // What ends sessions comes last: nothing after it would be let in.
    item: [
      { name: 'Tour', item: tour },
      ...subjects.filter(({ name }) => name !== LOG_IN),
      ...subjects.filter(({ name }) => name === LOG_IN),
    ],
    variable: VARIABLES.map(([key, value]) => ({ key, value })),
  };
}

const LOG_IN = 'Log-in';

function converted(description: Described): Promise<Collection> {
  const options = { folderStrategy: 'Tags', parametersResolution: 'Schema' };
  return new Promise((resolve, reject) => {
    converter.convertV2(
      { type: 'json', data: withoutChoice(description) as Described },
      options as never,
      (error, result) => {
        const data = result?.output?.[0]?.data as Collection | undefined;
        if (data === undefined) reject(new Error(result?.reason ?? 'nothing was converted', { cause: error }));
        else resolve(data);
      },
    );
  });
}

/** The converter throws dice where a schema leaves a choice: the first of an `enum` is taken, and a `pattern` is not played with. */
function withoutChoice(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutChoice);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => !(name === 'pattern' && typeof member === 'string'))
      .map(([name, member]) => [
        name,
        name === 'enum' && Array.isArray(member) ? member.slice(0, 1) : withoutChoice(member),
      ]),
  );
}

/** `get /api/v1/sites/{siteUuid}` */
function addressOf({ request }: Item): string {
  const path = request!.url.path.map((part) => (part.startsWith(':') ? `{${part.slice(1)}}` : part)).join('/');
  return `${request!.method.toLowerCase()} /${path}`;
}

/** The converted request without what is made by chance, with variables in the places of ids and credentials. */
function plain({ name, request }: Item, { security = [] }: Operation): Item {
  const { method, url, header, body } = request!;
  const [needed] = security.flatMap((one) => Object.keys(one));
  return {
    name,
    request: {
      method,
      url: {
        ...url,
        // All of them are optional; whoever wants one switches it on and gives it a value.
        query: (url.query ?? []).map((one) => ({ ...one, value: '', disabled: true })),
        variable: (url.variable ?? []).map(({ key }) => ({ key, value: `{{${key}}}` })),
      },
      header: header.map(({ key, value }) => ({ key, value: HEADERS[key] ?? value })),
      ...(body === undefined ? {} : { body }),
      auth:
        needed === undefined
          ? null
          : needed === 'bearer'
            ? { type: 'bearer', bearer: [{ key: 'token', value: '{{accessToken}}' }] }
            : {
                type: 'apikey',
                apikey: [
                  { key: 'key', value: 'X-API-Key' },
                  { key: 'value', value: `{{${needed}}}` },
                  { key: 'in', value: 'header' },
                ],
              },
    },
  };
}

const HEADERS: Record<string, string> = { 'Idempotency-Key': '{{$guid}}', 'If-Match': '{{etag}}' };

function onTour(item: Item, { expect, body, variables, save }: Step, number: number): Item {
  const request = structuredClone(item.request!);
  if (body !== undefined) request.body = { mode: 'raw', raw: JSON.stringify(body, null, 2) };
  for (const one of request.url.variable ?? []) one.value = variables?.[one.key] ?? one.value;
  return {
    name: `${number}. ${item.name}`,
    request,
    event: [
      afterwards([
        `pm.test('is answered with ${expect}', () => pm.response.to.have.status(${expect}));`,
        ...Object.entries(save ?? {}).map(([name, where]) => `pm.collectionVariables.set('${name}', ${where});`),
      ]),
    ],
  };
}

function describedOnly(statuses: readonly string[]): string[] {
  return [
    `pm.test('is answered as the description says', () => pm.expect([${statuses.join(', ')}]).to.include(pm.response.code));`,
  ];
}

function afterwards(exec: string[]): { listen: string; script: { type: string; exec: string[] } } {
  return { listen: 'test', script: { type: 'text/javascript', exec } };
}
