/**
 * The import law: who may know whom. Each rule is a named sentence; tools/import-law.spec.ts shows that each one bites.
 * Edge -> service -> {domain, repository}; nothing points back. An app never imports an app. Libs never know an app.
 */

/** Layers of apps/<service>/src/<feature>/, by the suffix of the file. */
const FEATURE = '^apps/([^/]+)/src/([^/]+)/';
/** database/ (tables and migrations) and http/ (the shape of every answer) are no features; neither are the files beside main.ts. */
const DOMAIN = '^apps/[^/]+/src/(?!database/|http/)[^/]+/[^/.]+\\.ts$';
const layer = (...suffixes) => `^apps/.*\\.(${suffixes.join('|')})\\.ts$`;
const TEST =
  '\\.(spec|e2e-spec)\\.ts$|^apps/[^/]+/test/|^libs/testing/|^libs/streams/src/conformance/|^e2e/|^tools/bench/';

module.exports = {
  forbidden: [
    {
      name: 'nothing-imports-in-a-circle',
      comment:
        'Files of a circle can only be understood, tested and loaded together. Turn one import into an argument or move what both need into a third file.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'an-app-never-imports-an-app',
      comment:
        'Services share facts by events and questions by RPC (libs/contracts), so that each can be deployed, scaled and reasoned about alone.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/single/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'the-one-process-app-sees-only-the-start-of-each-service',
      comment:
        'apps/single composes running services (docs/adr/0001): it may import apps/<service>/src/start.ts and nothing else of theirs.',
      severity: 'error',
      from: { path: '^apps/single/' },
      to: { path: '^apps/(?!single/)', pathNot: '^apps/[^/]+/src/start\\.ts$' },
    },
    {
      name: 'libs-never-import-what-uses-them',
      comment: 'A library that knows an app, a tool or a story is part of it.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|tools|e2e)/' },
    },
    {
      name: 'libs-are-entered-by-their-front-door',
      comment: 'Import #libs/<name>: what index.ts does not export is free to change.',
      severity: 'error',
      from: { path: '^(apps|libs|tools|e2e)/([^/]+)/' },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
    {
      name: 'the-domain-is-pure',
      comment:
        'A file without a suffix holds rules and types: no Nest, TypeORM, Redis, network or files, so that a test needs only a call. Move the part that needs them to a .service.ts or .repository.ts.',
      severity: 'error',
      from: { path: DOMAIN },
      to: {
        path: [
          'node_modules/(@nestjs|typeorm|pg|ioredis|fastify|rxjs)/',
          '^libs/(outbox|database)/',
          '^(node:)?(fs|net|http|https|child_process)(/|$)',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'the-domain-knows-no-layer-above-it',
      comment:
        'Services, repositories and edges know the domain; it knows none of them. Give it what it needs as an argument.',
      severity: 'error',
      from: { path: DOMAIN },
      to: { path: layer('service', 'repository', 'controller', 'consumer', 'module') },
    },
    {
      name: 'the-domain-touches-no-table',
      comment: 'A rule may name the type of a row; it must not need the class that maps it to a table.',
      severity: 'error',
      from: { path: DOMAIN },
      to: { path: layer('entity'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'a-repository-knows-no-service-and-no-edge',
      comment:
        'Repositories and entities are the only SQL; they take the transaction and give rows. What decides belongs to the service or the domain.',
      severity: 'error',
      from: { path: layer('repository', 'entity') },
      to: { path: layer('service', 'controller', 'consumer', 'module') },
    },
    {
      name: 'a-service-knows-no-edge',
      comment: 'One use case can have several edges (HTTP, stream, command). It must not know by which it was reached.',
      severity: 'error',
      from: { path: layer('service') },
      to: { path: layer('controller', 'consumer', 'module') },
    },
    {
      name: 'an-edge-reaches-tables-only-through-a-service',
      comment:
        'Controllers and consumers translate; the service opens the transaction and decides. So a rule cannot be passed by on one of the edges.',
      severity: 'error',
      from: { path: layer('controller', 'consumer') },
      to: { path: [layer('repository', 'entity'), 'node_modules/pg/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'an-edge-knows-no-edge',
      comment: 'What two edges share belongs into a service or a domain file.',
      severity: 'error',
      from: { path: layer('controller', 'consumer') },
      to: { path: layer('controller', 'consumer') },
    },
    {
      name: 'a-feature-enters-another-by-a-service-or-a-domain-file',
      comment:
        "Another feature's tables and edges are its own affair: ask its exported service, or use its domain types.",
      severity: 'error',
      from: { path: FEATURE, pathNot: ['^apps/[^/]+/src/database/', TEST] },
      // The type of a row may stand in the signature of a service.
      to: {
        path: layer('repository', 'controller', 'consumer'),
        pathNot: '^apps/$1/src/$2/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'apps-have-no-barrels',
      comment:
        'An index.ts hides who needs what and invites circles. Import the file itself. (The list of migrations is not a barrel.)',
      severity: 'error',
      from: {},
      to: { path: '^apps/.*/index\\.ts$', pathNot: '/migrations/index\\.ts$' },
    },
    {
      name: 'contracts-import-their-schema-library-only',
      comment: 'A promise between services must not bring code with it.',
      severity: 'error',
      from: { path: '^libs/contracts/src/', pathNot: TEST },
      to: { path: '.', pathNot: ['^libs/contracts/', 'node_modules/(typebox|ajv|ajv-formats)/'] },
    },
    {
      name: 'drupals-rules-are-pure',
      comment:
        'libs/drupal answers from its arguments alone: no network, no database, no clock, no other library but the XML reader and the text decoder.',
      severity: 'error',
      from: { path: '^libs/drupal/src/', pathNot: TEST },
      to: { path: '.', pathNot: ['^libs/drupal/', 'node_modules/saxes/', '^(node:)?util$'] },
    },
    {
      name: 'the-transport-knows-no-event',
      comment:
        'libs/streams carries envelopes. What is in them is the business of contracts and services; what keeps them, of outbox and database.',
      severity: 'error',
      from: { path: '^libs/streams/src/', pathNot: TEST },
      to: { path: ['^libs/(outbox|database|drupal)/', 'node_modules/(typeorm|pg)/'] },
    },
    {
      name: 'only-the-rpc-of-the-transport-knows-contracts',
      comment:
        'A call is made by its definition (libs/contracts), so libs/streams/src/rpc knows the form of definitions; the core knows queues by name only.',
      severity: 'error',
      from: { path: '^libs/streams/src/', pathNot: ['^libs/streams/src/rpc/', TEST] },
      to: { path: '^libs/contracts/' },
    },
    {
      name: 'the-core-of-the-transport-knows-no-framework',
      comment:
        'It runs against an in-memory broker and a fake clock, without Nest; only its RPC strategy (libs/streams/src/rpc) is Nest code.',
      severity: 'error',
      from: { path: '^libs/streams/src/', pathNot: ['^libs/streams/src/rpc/', TEST] },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'the-ground-floor-knows-no-floor-above',
      comment:
        'runtime and database stand below everything else (database may name the port that it implements); testing knows no service either.',
      severity: 'error',
      from: { path: '^libs/(runtime|database|testing)/src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/(contracts|streams|outbox|drupal)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-tests-use-test-tools',
      comment: 'What runs in production must not depend on what is there to test it.',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: [TEST] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'nobody-imports-a-test',
      comment: 'What two tests share has a file of its own.',
      severity: 'error',
      from: {},
      to: { path: '\\.(spec|e2e-spec)\\.ts$' },
    },
    {
      name: 'tools-know-services-by-their-tables-only',
      comment:
        'tools/migrate needs entities and migrations of every service. Everything else a tool wants of a service it gets by HTTP, as any client. (tools/bench measures parts of services beside a baseline.)',
      severity: 'error',
      from: { path: '^(tools|e2e)/', pathNot: '^tools/bench/' },
      to: { path: '^apps/', pathNot: '^apps/[^/]+/src/database/' },
    },
    {
      name: 'no-folder-called-somewhere',
      comment:
        'Names like common, shared and utils mean "somewhere" and attract everything. Name the file after what it does.',
      severity: 'error',
      from: {},
      to: { path: '^(apps|libs|tools|e2e)/.*(^|/)(common|shared|utils?|helpers?|misc|generic)(/|\\.ts$)' },
    },
    {
      name: 'what-runs-needs-no-development-package',
      comment:
        'Production installs leave out devDependencies. Move the package to dependencies, or the code to a test.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [TEST, '^libs/testing/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'every-import-can-be-found',
      comment: 'It is missing in package.json, or the path is wrong.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|\\.data)/' },
    // Type imports count as well: knowing a type of another app is knowing that app.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'require', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
