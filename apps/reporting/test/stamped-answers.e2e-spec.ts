import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Scope } from '#libs/contracts';
import { asSystem, asTenant } from '#libs/database';
import { TaggedAnswer, UNCHANGED } from '#libs/streams';
import { eventually } from '#libs/testing';
import { AnswerStampRepository } from '../src/answer-stamp/answer-stamp.repository.js';
import { GOOD_FOR_MS } from '../src/answer-stamp/answer-tag.js';
import { StampAnswersService } from '../src/answer-stamp/stamp-answers.service.js';
import { advisory, change, inventory, organization, releases, site, uuidOf } from './facts.js';
import { ReportingBox } from './reporting-box.js';

const PAGE = { page: 1, per_page: 100 };
/** The third is of organization 1, with whom site 2 of organization 2 is shared. */
const SCOPES: readonly Scope[] = [
  { organization_ids: null },
  { organization_ids: [1] },
  { organization_ids: [1], shared_site_ids: [2] },
  { organization_ids: [2] },
];
const SITES = 4;
const MODULES = ['alpha', 'beta'] as const;

const stepOf = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    site: fc.integer({ min: 1, max: SITES }),
    module: fc.constantFrom(...MODULES),
    version: fc.constantFrom('8.x-1.0', '8.x-1.1', '8.x-1.x-dev', null, 'gone'),
    state: fc.constantFrom('enabled' as const, 'disabled' as const),
  }),
  fc.record({ kind: fc.constant('heartbeat' as const), site: fc.integer({ min: 1, max: SITES }) }),
  fc.record({
    kind: fc.constant('advisory' as const),
    module: fc.constantFrom(...MODULES),
    affected: fc.constantFrom('<1.1', null),
    state: fc.constantFrom('published' as const, 'retracted' as const),
  }),
  fc.record({
    kind: fc.constant('marks' as const),
    module: fc.constantFrom(...MODULES),
    marked: fc.subarray(['8.x-1.0', '8.x-1.1']),
    title: fc.constantFrom('One', 'Another'),
  }),
  fc.record({
    kind: fc.constant('own' as const),
    module: fc.constantFrom(...MODULES, 'own' as const),
    newest: fc.constantFrom('8.x-1.1', null),
  }),
  fc.record({
    kind: fc.constant('site' as const),
    site: fc.integer({ min: 1, max: SITES }),
    organization: fc.integer({ min: 1, max: 2 }),
    removed: fc.boolean(),
    name: fc.constantFrom('Town hall', 'Library'),
    held: fc.boolean(),
  }),
);
type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never;

/** What each of the questions answers now, without its instant. */
function questions(box: ReportingBox, scope: Scope) {
  const withoutInstant = async (answer: Promise<unknown>): Promise<string> =>
    JSON.stringify(await answer, (name, value: unknown) => (name === 'as_of' ? undefined : value));
  const all = [
    { method: 'sites', make: () => box.sites.list({ scope, ...PAGE }) },
    { method: 'exposures', make: () => box.exposures.list({ scope, ...PAGE }) },
    { method: 'open', make: () => box.exposures.list({ scope, ...PAGE, state: ['open'] }) },
    { method: 'modules', make: () => box.moduleList.list({ scope, ...PAGE }) },
    { method: 'overview', make: () => box.dashboard.overview({ scope }) },
    ...[1, 2].map((id) => ({
      method: `site ${id}`,
      site: uuidOf('site', id),
      make: () => box.sites.modulesOf({ scope, site: uuidOf('site', id), ...PAGE }),
    })),
  ];
  return all.map(({ make, ...question }) => ({
    ...question,
    input: { scope },
    make: async () => {
      const answer = await withoutInstant(make());
      return answer === 'null' ? null : answer;
    },
  }));
}

describe('answers that are kept', () => {
  let box: ReportingBox;
  let clock = 0;
  beforeAll(async () => {
    box = await ReportingBox.open();
    await box.register(organization(1), organization(2));
    for (let id = 1; id <= SITES; id++) await box.register(site(id, { organization_id: (id % 2) + 1 }));
    // No step is about it.
    await box.register(site(9));
    for (const module of MODULES)
      for (const id of [1, 2]) await take({ kind: 'push', site: id, module, version: '8.x-1.0', state: 'enabled' });
  });
  afterAll(() => box?.close());

  async function take(step: Step): Promise<void> {
    const number = ++clock;
    const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
    switch (step.kind) {
      case 'push': {
        const told = change(step.module, step.version);
        const installed = told.installed && { ...told.installed, state: step.state };
        return box.push(inventory(step.site, number, at, [{ ...told, installed }]));
      }
      case 'heartbeat':
        return box.hear({ site_id: step.site, organization_id: 1, heard_at: at, observed_at: at, complete: true });
      case 'advisory':
        return box.tell(
          advisory(`SA-${step.module}`, step.module, step.affected, at, { revision: number, state: step.state }),
        );
      case 'marks': {
        const told = historyOf(step.module, number, step.marked);
        return box.tell({ ...told, history: { ...told.history!, title: step.title } });
      }
      case 'own':
        return box.tell({
          ...{ organization_id: 1, organization_uuid: uuidOf('organization', 1) },
          ...{ module: step.module, revision: number, known_at: at },
          history: step.newest === null ? null : historyOf(step.module, number, []).history,
        });
      case 'site':
        return box.register(
          site(step.site, {
            ...{ organization_id: step.organization, revision: number, removed_at: step.removed ? at : null },
            name: step.name,
            quarantine: step.held
              ? { since: at, reason: 'by_hand', note: null, reported_url: null, reported_environment: null }
              : null,
          }),
        );
    }
  }

  function historyOf(module: string, revision: number, marked: readonly string[]) {
    const list = ['8.x-1.1', '8.x-1.0'].map((version) => ({
      ...{ version, date: '2026-01-01', terms: marked.includes(version) ? ['Insecure'] : ['Security update'] },
    }));
    return releases(module, '8.x-1.', list, { revision });
  }

  /** Asks all questions for all scopes, of two replicas by turns, keeps the answers, and compares each with what is answered anew. */
  function asker() {
    const replicas = [box.stamped, new StampAnswersService(new AnswerStampRepository(box.dataSource), box.clock)];
    const kept = new Map<string, { tag: string; answer: string }>();
    const counts = { asked: 0, unchanged: 0 };
    const askAll = async (): Promise<void> => {
      for (const scope of SCOPES)
        for (const question of questions(box, scope)) {
          const key = JSON.stringify([question.method, scope]);
          const known = kept.get(key);
          const replica = replicas[counts.asked++ % replicas.length]!;
          const answer = await replica.answer({ ...question, known: known?.tag ?? null }, question.make);
          const now = await question.make();
          if (!(answer instanceof TaggedAnswer)) expect(answer).toEqual(now);
          else if (answer.output === UNCHANGED) {
            counts.unchanged++;
            expect([key, known!.answer]).toEqual([key, now]);
          } else {
            expect([key, answer.output]).toEqual([key, now]);
            kept.set(key, { tag: answer.tag, answer: answer.output as string });
          }
        }
    };
    return { askAll, counts };
  }

  it('are what would be answered anew, after whatever has changed, and whichever replica is asked', async () => {
    const { askAll, counts } = asker();
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf, { minLength: 1, maxLength: 8 }), async (steps) => {
        for (const step of steps) {
          await take(step);
          await askAll();
        }
      }),
      { numRuns: Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 2) },
    );
    // It would mean nothing if all had always been made anew.
    await askAll();
    const before = counts.unchanged;
    await askAll();
    expect(counts.unchanged - before).toBeGreaterThanOrEqual(SCOPES.length * 5);
  }, 300_000);

  it.each<[what: string, step: Step]>([
    ['a push', { kind: 'push', site: 2, module: 'alpha', version: '8.x-1.1', state: 'enabled' }],
    ['a push that disables a module', { kind: 'push', site: 2, module: 'beta', version: '8.x-1.0', state: 'disabled' }],
    ['a push without a change', { kind: 'heartbeat', site: 2 }],
    ['an advisory', { kind: 'advisory', module: 'beta', affected: '<1.1', state: 'published' }],
    ['its retraction', { kind: 'advisory', module: 'beta', affected: '<1.1', state: 'retracted' }],
    ['a mark of Drupal.org', { kind: 'marks', module: 'beta', marked: ['8.x-1.0'], title: 'One' }],
    ['another title of a module', { kind: 'marks', module: 'beta', marked: ['8.x-1.0'], title: 'Another' }],
    ['a module declared by an organization', { kind: 'own', module: 'own', newest: '8.x-1.1' }],
    ['a new name', { kind: 'site', site: 2, organization: 1, removed: false, name: 'Library', held: false }],
    ['a site held back', { kind: 'site', site: 2, organization: 1, removed: false, name: 'Library', held: true }],
    [
      'a site given to another',
      { kind: 'site', site: 2, organization: 2, removed: false, name: 'Library', held: false },
    ],
    ['a removal', { kind: 'site', site: 2, organization: 2, removed: true, name: 'Library', held: false }],
    ['a restoration', { kind: 'site', site: 2, organization: 2, removed: false, name: 'Library', held: false }],
  ])('are not kept any longer after %s', async (_, step) => {
    const { askAll, counts } = asker();
    await askAll();
    await askAll();
    expect(counts.unchanged).toBeGreaterThan(0);
    counts.unchanged = counts.asked = 0;
    await take(step);
    await askAll();
    expect(counts.unchanged).toBeLessThan(counts.asked);
  });

  const countedAnswers = () => {
    const made: (() => void)[] = [];
    const input = { scope: SCOPES[0]! };
    const ask = (known: string | null | undefined, method = 'counted') =>
      box.stamped.answer({ method, input, known }, () => new Promise<string>((done) => made.push(() => done('made'))));
    return { made, ask };
  };
  const tagOf = (answer: unknown): string => (answer as TaggedAnswer).tag;
  const isUnchanged = (answer: unknown): boolean => answer instanceof TaggedAnswer && answer.output === UNCHANGED;

  it('change when a change is committed, and not before', async () => {
    const question = questions(box, SCOPES[0]!)[0]!;
    const ask = (known: string | null) => box.stamped.answer({ ...question, known }, question.make);
    const tag = tagOf(await ask(null));
    const runner = box.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`UPDATE sites SET name = 'Renamed by hand' WHERE site_id = 9`);
    expect(isUnchanged(await ask(tag))).toBe(true);
    await runner.commitTransaction();
    await runner.release();
    const renamed = await ask(tag);
    expect(isUnchanged(renamed)).toBe(false);
    expect((renamed as TaggedAnswer).output).toContain('Renamed by hand');
  });

  it('are made once for all who ask while nothing changes, and again for who asks after a change', async () => {
    const { made, ask } = countedAnswers();
    const early = [ask(null), ask(null), ask(null)];
    await eventually(() => made.length === 1, { everyMs: 1 });
    await take({ kind: 'heartbeat', site: 2 });
    const late = ask(null);
    await eventually(() => made.length === 2, { everyMs: 1 });
    for (const finish of made) finish();
    const tags = (await Promise.all([...early, late])).map(tagOf);
    expect(new Set(tags.slice(0, 3)).size).toBe(1);
    expect(tags[3]).not.toBe(tags[0]);
    expect(made.length).toBe(2);
  });

  it('are made anew after half a minute, because days age', async () => {
    const { made, ask } = countedAnswers();
    const first = ask(null);
    await eventually(() => made.length === 1, { everyMs: 1 });
    made[0]!();
    const tag = tagOf(await first);
    box.clock.advance(GOOD_FOR_MS.least - 1);
    expect(isUnchanged(await ask(tag))).toBe(true);
    box.clock.advance(GOOD_FOR_MS.most - GOOD_FOR_MS.least + 1);
    const again = ask(tag);
    await eventually(() => made.length === 2, { everyMs: 1 });
    made[1]!();
    expect(isUnchanged(await again)).toBe(false);
  });

  /** The tag of an answer that was made a while ago: it is good still, and will not be for long. */
  const ageingAnswer = async () => {
    const counted = countedAnswers();
    const first = counted.ask(null);
    await eventually(() => counted.made.length === 1, { everyMs: 1 });
    counted.made[0]!();
    const tag = tagOf(await first);
    box.clock.advance(GOOD_FOR_MS.least - 1);
    return { ...counted, tag };
  };

  it('are made anew while nobody waits when they are about to be too old, and given to who asks next', async () => {
    const { made, ask, tag } = await ageingAnswer();
    // Whoever asks meanwhile is told that hers is right, which it is, and makes no other.
    expect((await Promise.all([ask(tag), ask(tag)])).every(isUnchanged)).toBe(true);
    await eventually(() => made.length === 2, { everyMs: 1 });
    expect(isUnchanged(await ask(tag))).toBe(true);
    made[1]!();
    const next = await eventually(
      async () => {
        const answer = await ask(tag);
        return isUnchanged(answer) ? null : (answer as TaggedAnswer);
      },
      { everyMs: 1 },
    );
    expect(next.output).toBe('made');
    box.clock.advance(GOOD_FOR_MS.least / 2);
    expect(isUnchanged(await ask(next.tag))).toBe(true);
    expect(made.length).toBe(2);
  });

  it('that were made anew while nobody waited are given to nobody after a change', async () => {
    const { made, ask, tag } = await ageingAnswer();
    expect(isUnchanged(await ask(tag))).toBe(true);
    await eventually(() => made.length === 2, { everyMs: 1 });
    await take({ kind: 'heartbeat', site: 3 });
    made[1]!();
    const changed = ask(tag);
    await eventually(() => made.length === 3, { everyMs: 1 });
    made[2]!();
    expect(isUnchanged(await changed)).toBe(false);
  });

  it('S54 are not vouched for by the tag of another question, or of another tenant', async () => {
    const { ask, made } = countedAnswers();
    const first = ask(null);
    await eventually(() => made.length === 1, { everyMs: 1 });
    made[0]!();
    const tag = tagOf(await first);
    const others = [
      { method: 'another', input: { scope: SCOPES[0]! } },
      // The very same sites, so the stamps are equal: still not her answer.
      { method: 'counted', input: { scope: { organization_ids: [1, 2] } } },
    ];
    for (const other of others) {
      const answer = await box.stamped.answer({ ...other, known: tag }, () => Promise.resolve('hers'));
      expect((answer as TaggedAnswer).output).toBe('hers');
    }
  });

  it('are tagged for nobody who keeps none', async () => {
    expect(
      await box.stamped.answer({ method: 'plain', input: { scope: SCOPES[0]! }, known: undefined }, async () => 1),
    ).toBe(1);
  });

  it('make no writer of the catalog wait for another', async () => {
    await take({ kind: 'marks', module: 'alpha', marked: [], title: 'One' });
    await take({ kind: 'marks', module: 'beta', marked: [], title: 'One' });
    const changes = async (): Promise<number> =>
      (await box.query<{ sum: string }>('SELECT sum(changes)::int AS sum FROM catalog_changes'))[0]!.sum as never;
    const before = await changes();
    const runners = [box.dataSource.createQueryRunner(), box.dataSource.createQueryRunner()];
    for (const [i, runner] of runners.entries()) {
      await runner.startTransaction();
      await runner.query(`SET LOCAL lock_timeout = '5s'`);
      await runner.query('UPDATE modules SET title = $1 WHERE module = $2', ['Held', MODULES[i]]);
      await runner.query('UPDATE modules SET title = title WHERE module = $1', ['nobody’s']);
    }
    expect(await changes()).toBe(before);
    for (const runner of runners) {
      await runner.commitTransaction();
      await runner.release();
    }
    expect(await changes()).toBe(before + 2);
  });
});

describe('stamps under row-level security', () => {
  let box: ReportingBox;
  beforeAll(async () => {
    box = await ReportingBox.openAsService();
    await box.register(organization(1), organization(2), site(1), site(2, { organization_id: 2 }));
  });
  afterAll(() => box?.close());

  it('S54 are of what the asker may see, the shared site included, and change with it alone', async () => {
    const stamps = new AnswerStampRepository(box.dataSource);
    const own = { organization_ids: [1] };
    const shared = { organization_ids: [1], shared_site_ids: [2] };
    const of = (scope: { organization_ids: number[]; shared_site_ids?: number[] }) =>
      asTenant(scope, () => stamps.ofFleet(scope));
    const before = [await of(own), await of(shared)];
    await box.push(inventory(2, 1, '2026-09-01', [], { organization_id: 2 }));
    const after = [await of(own), await of(shared)];
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    const others = await asTenant(own, () => stamps.ofSites(shared, [uuidOf('site', 1), uuidOf('site', 2)]));
    expect([...others.keys()]).toEqual([uuidOf('site', 1)]);
    expect(await asSystem(() => stamps.ofSites({ organization_ids: null }, [uuidOf('site', 2)]))).toHaveProperty(
      'size',
      1,
    );
  });
});
