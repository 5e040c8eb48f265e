import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Awaiting, Decider } from '../../client/index.ts';
import { awaited, subjectOf } from '../../client/index.ts';
import { type Approval, rulingOn } from '../../core/decision.ts';
import { resolveVersion } from '../../core/registry.ts';
import type { DecideOutcome } from '../../core/run.ts';
import { publicKey, signingKey } from '../../signing/keys.ts';
import { signedBy } from '../../registry/proof.ts';
import { registered, verdict } from '../registry/samples.ts';
import { challenger as challengerOf, commands, recommender, startSystem, until } from './harness.ts';
import type { TestSystem } from './harness.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(async () => system?.close());

const approval: Approval = { role: 'approver', within: '1h' };
const ada: Decider = { by: 'ada', reason: 'looks right' };
const ben: Decider = { by: 'ben', reason: 'I would not' };
const author = { by: 'test', run: null };
const challenger = (at: TestSystem, model: string, needs: Approval = approval) => challengerOf(at, model, needs);

const handleOf = (at: TestSystem, { subject: { model, segment, version } }: Awaiting) =>
  at.client.temporal.workflow.getHandle(`decide/${model}/${segment}/v${version}`);
const outcomeOf = async (at: TestSystem, awaiting: Awaiting): Promise<DecideOutcome> => (await handleOf(at, awaiting).result()) as DecideOutcome;
const lastEntry = async (at: TestSystem, model: string) => (await at.registry.entries({ model, segment: 'all' })).at(-1)!;

describe('a version that awaits a decision', () => {
  test('says who decides until when, on what, and with which command', async () => {
    const awaiting = await challenger(system, 'shown');
    const seen = await until('it waits', async () => {
      const { currentDetails } = (await handleOf(system, awaiting).query('__temporal_workflow_metadata')) as { currentDetails: string };
      return currentDetails !== '' && currentDetails;
    });
    expect(seen).toContain('v1 awaits a decision');
    expect(seen).toContain('**approver**');
    expect(seen).toContain('perennial approve shown/all@1');
    const { searchAttributes } = await handleOf(system, awaiting).describe();
    expect(searchAttributes).toMatchObject({ MlModel: ['shown'], MlVersion: ['v1'], MlOutcome: ['awaiting-decision'] });
    const { versions, champion } = await system.registry.state({ model: 'shown', segment: 'all' });
    expect(versions[0]).toMatchObject({ status: 'awaiting-decision', approval: { role: 'approver' } });
    expect(champion).toBeNull();
  });

  test('is promoted when it is approved, with who approved it and why', async () => {
    const awaiting = await challenger(system, 'approved');
    const began = performance.now();
    const { standing, run } = await system.client.approve(awaiting, ada);
    const answered = performance.now();
    expect(standing).toMatchObject({ decision: 'approved', by: 'ada', entry: 3, own: true });
    expect(await run.result()).toMatchObject({ outcome: 'promoted', version: 1, by: 'ada' });
    const [toAnswer, toPromoted] = [answered - began, performance.now() - began].map(Math.round);
    process.stderr.write(`an approval is in the log after ${toAnswer} ms, and its version champion after ${toPromoted} ms\n`);
    const [, , decided, promoted] = await system.registry.entries({ model: 'approved', segment: 'all' });
    expect(decided).toMatchObject({
      by: 'ada',
      command: { kind: 'decided', decision: 'approved', reason: 'looks right', proof: { how: 'claimed' } },
    });
    expect(promoted).toMatchObject({ by: 'ada', command: { kind: 'promoted', reason: 'approved by ada: looks right' } });
  });

  test('is not when it is rejected, and stays so', async () => {
    const awaiting = await challenger(system, 'rejected');
    await system.client.reject(awaiting, ben);
    expect(await outcomeOf(system, awaiting)).toMatchObject({ outcome: 'rejected', by: 'ben' });
    expect(await commands(system, 'rejected')).toEqual(['registered', 'judged', 'decided']);
    await expect(system.client.approve(awaiting, ada)).rejects.toMatchObject({
      code: 'DecisionTaken',
      message: expect.stringContaining('rejected') as unknown,
      facts: { by: 'ben', entry: 3 },
    });
    expect(await commands(system, 'rejected')).toHaveLength(3);
  });

  test('expires when nobody decides, after reminders', async () => {
    const awaiting = await challenger(system, 'expired', { role: 'approver', within: '3s', remind: '1s' });
    const reminded = until('a reminder', async () => {
      const { currentDetails } = (await handleOf(system, awaiting).query('__temporal_workflow_metadata')) as { currentDetails: string };
      return /Reminder \d/.test(currentDetails);
    });
    await reminded;
    expect(await outcomeOf(system, awaiting)).toMatchObject({ outcome: 'expired', by: 'perennial' });
    expect((await lastEntry(system, 'expired')).command).toMatchObject({ kind: 'decided', decision: 'expired' });
    await expect(system.client.approve(awaiting, ada)).rejects.toMatchObject({ code: 'DecisionTaken' });
  });

  test('is superseded by a newer challenger, whose approval then counts', async () => {
    const older = await challenger(system, 'superseded');
    const newer = await challenger(system, 'superseded');
    expect(await outcomeOf(system, older)).toMatchObject({ outcome: 'superseded', reason: 'version 2 came after it' });
    await expect(system.client.approve(older, ada)).rejects.toMatchObject({ code: 'DecisionTaken', facts: { decision: 'superseded' } });
    expect(await (await system.client.approve(newer, ada)).run.result()).toMatchObject({ outcome: 'promoted', version: 2 });
    expect((await system.registry.state({ model: 'superseded', segment: 'all' })).champion).toBe(2);
  });

  test('is not closed by whoever starts or signals a run of their own', async () => {
    const awaiting = await challenger(system, 'closed');
    const own = (workflowId: string, change: Partial<Awaiting>) =>
      system.client.temporal.workflow.start('decide', { args: [{ ...awaiting, ...change }], workflowId, taskQueue: 'perennial' });
    const hasty = await own('hasty', { approval: { role: 'approver', within: '1s' } });
    await expect(hasty.result()).rejects.toMatchObject({ cause: { cause: { type: 'ApprovalRefused' } } });
    // The run that waits is told of a newer version that no log knows, and goes on waiting.
    const waiting = handleOf(system, awaiting);
    await waiting.signal('superseded', 99);
    await until('it was refused', async () => (await waiting.fetchHistory()).events!.some((event) => event.activityTaskFailedEventAttributes));
    const newer = await own('newer', { subject: { ...awaiting.subject, version: 99 } });
    await until('it looked for older versions', async () => {
      const { events } = await newer.fetchHistory();
      return events!.some((event) => event.activityTaskCompletedEventAttributes);
    });
    await newer.terminate('it has done what it could');
    expect(await commands(system, 'closed')).toEqual(['registered', 'judged']);
    expect(await (await system.client.approve(awaiting, ada)).run.result()).toMatchObject({ outcome: 'promoted' });
  }, 30_000);

  test('is decided once when two race, and the second hears who was first', async () => {
    const awaiting = await challenger(system, 'raced');
    const calls = await Promise.allSettled([system.client.approve(awaiting, ada), system.client.reject(awaiting, ben)]);
    expect(calls.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = calls.find((call) => call.status === 'rejected')!;
    expect(refused.reason).toMatchObject({ code: 'DecisionTaken', message: expect.stringMatching(/ada|ben/) as unknown });
    await outcomeOf(system, awaiting);
    expect((await commands(system, 'raced')).filter((kind) => kind === 'decided')).toHaveLength(1);
  });

  test('does not take a decision about another package, evaluation or champion, and stays open', async () => {
    const awaiting = await challenger(system, 'bound');
    const { subject } = awaiting;
    for (const other of [{ package: 'f'.repeat(64) }, { evaluation: 'f'.repeat(64) }, { expect: 7 }]) {
      const wrong = { ...awaiting, subject: { ...subject, ...other } };
      await expect(system.client.approve(wrong, ada)).rejects.toMatchObject({ code: 'ApprovalRefused' });
    }
    const { events } = await handleOf(system, awaiting).fetchHistory();
    expect(events!.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toEqual([]);
    expect(await (await system.client.approve(awaiting, ada)).run.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('can be approved though Temporal has forgotten the run that waited', async () => {
    const awaiting = await challenger(system, 'forgotten');
    await handleOf(system, awaiting).terminate('its server lost everything');
    const { run } = await system.client.approve(awaiting, ada);
    expect(await run.result()).toMatchObject({ outcome: 'promoted', by: 'ada' });
    // Said again: adopted, and nothing is brought twice.
    const again = await system.client.approve(awaiting, ada);
    expect(again.standing).toMatchObject({ entry: 3, since: 'promoted' });
    expect(await again.run.result()).toMatchObject({ outcome: 'promoted' });
    expect(await commands(system, 'forgotten')).toEqual(['registered', 'judged', 'decided', 'promoted']);
  });

  test('is nothing to approve where it awaits nothing', async () => {
    const place = { model: 'plain', segment: 'all' };
    await system.registry.register(place, registered('plain'), author);
    const state = await system.registry.state(place);
    const made = { subject: subjectOf(state, state.versions[0]!, null), approval, verdict: verdict('better') };
    await expect(system.client.approve(made, ada)).rejects.toMatchObject({ code: 'RequestInvalid' });
    await expect(outcomeOf(system, made)).rejects.toThrow();
    expect(await commands(system, 'plain')).toEqual(['registered']);
  });
});

test('a worker that is killed between a decision and its entry writes it once', async () => {
  const awaiting = await challenger(system, 'killed');
  await until('it waits', async () => (await handleOf(system, awaiting).query<{ headline: string }>('progress')).headline !== '');
  // A pipe where the entry will be: the step waits there, until the worker dies.
  const entry = join(system.storeUri, 'models/killed/all/log/000000000003.json');
  execFileSync('mkfifo', [entry]);
  const answer = system.client.approve(awaiting, ada);
  await until('the decision is accepted and about to be written', async () => {
    const { raw } = await handleOf(system, awaiting).describe();
    return raw.pendingActivities?.some(({ activityType, lastStartedTime }) => activityType?.name === 'recordDecision' && lastStartedTime);
  });
  await system.worker.kill();
  await rm(entry);
  await system.worker.start();
  expect((await answer).standing).toMatchObject({ decision: 'approved', by: 'ada' });
  expect(await outcomeOf(system, awaiting)).toMatchObject({ outcome: 'promoted' });
  expect(await commands(system, 'killed')).toEqual(['registered', 'judged', 'decided', 'promoted']);
}, 60_000);

describe('a training whose spec asks for approval', () => {
  const spec = recommender('films', { approval, train: [{ trainer: 'ease', with: { l2: 100 } }] });
  const place = { model: 'films', segment: 'all' };

  test('ends without waiting, so that the schedule goes on; a newer version supersedes it', async () => {
    await system.apply(spec);
    const first = await (await system.client.retrain('films')).result();
    expect(first.segments['all']).toMatchObject({ outcome: 'awaiting-decision', version: 1 });
    expect((await handleOf(system, { subject: { ...place, version: 1 } } as Awaiting).describe()).status.name).toBe('RUNNING');

    await system.apply({ ...spec, train: [{ trainer: 'ease', with: { l2: 200 } }] });
    const second = await (await system.client.retrain('films')).result();
    expect(second.segments['all']).toMatchObject({ outcome: 'awaiting-decision', version: 2 });
    const { versions } = await system.registry.state(place);
    expect(versions[0]).toMatchObject({ status: 'registered', ruling: { decision: 'superseded' } });
    expect(versions[1]).toMatchObject({ status: 'awaiting-decision' });
  }, 90_000);

  test('is judged again after an approval when the champion changed meanwhile', async () => {
    await system.registry.promote(
      place,
      { version: 1, expect: null, verdict: 'better', reason: 'a person was faster', proof: { how: 'claimed' } },
      author,
    );
    const state = await system.registry.state(place);
    const { run } = await system.client.approve(awaited(state, resolveVersion(state, 2)!), ada);
    expect(await run.result()).toMatchObject({ outcome: 'promoted', version: 2, decision: 'approved' });
    const after = (await system.registry.entries(place)).slice(state.entries).map(({ command }) => command);
    expect(after).toMatchObject([
      { kind: 'decided', version: 2, decision: 'approved', expect: null },
      { kind: 'judged', version: 2, against: 1 },
      { kind: 'promoted', version: 2, expect: 1 },
    ]);
  }, 90_000);

  test.each([
    ['without it', {}, 300],
    ['with an easier one', { approval: { role: 'friend', within: '1s' } }, 400],
  ])(
    'of somebody’s own %s needs the applied one too',
    async (_, own, l2) => {
      const trained = await system.client.train(recommender('films', { ...own, train: [{ trainer: 'ease', with: { l2 } }] }));
      expect(await trained.result()).toMatchObject({ outcome: 'awaiting-decision' });
      expect((await system.registry.state(place)).versions.at(-1)).toMatchObject({ status: 'awaiting-decision', approval });
    },
    60_000,
  );
});

describe('what people do by hand', () => {
  test('is a promotion whatever the verdict, and a rollback to a former champion, each an entry with its reason', async () => {
    const place = { model: 'by-hand', segment: 'all' };
    for (const name of ['better', 'worse'] as const) {
      const { version } = await system.registry.register(place, registered(`hand ${name}`), author);
      await system.registry.judged(place, { version, verdict: verdict(name), against: null }, author);
    }
    const subject = async (version: number) => {
      const state = await system.registry.state(place);
      return subjectOf(state, resolveVersion(state, version)!, state.champion);
    };
    expect(await (await system.client.promote(await subject(1), ada)).result()).toMatchObject({ outcome: 'promoted', version: 1 });
    expect(await (await system.client.promote(await subject(2), ada)).result()).toMatchObject({ outcome: 'promoted', version: 2 });
    expect(await system.registry.state(place)).toMatchObject({ champion: 2, previousChampion: 1, anchor: 1 });
    expect(await (await system.client.rollback(await subject(1), ben)).result()).toMatchObject({ outcome: 'rolled-back', version: 1 });
    expect(await system.registry.state(place)).toMatchObject({ champion: 1, previousChampion: 2, anchor: 1 });
    expect(await lastEntry(system, 'by-hand')).toMatchObject({
      by: 'ben',
      run: { workflowId: 'deploy/by-hand/all' },
      command: { kind: 'rolledBack', from: 2, to: 1, reason: 'I would not', proof: { how: 'claimed' } },
    });
    await expect((await system.client.rollback({ ...(await subject(2)), expect: 9 }, ben)).result()).rejects.toMatchObject({
      code: 'ChampionChanged',
    });
  });
});

describe('where approvers are configured', () => {
  const keyOf = () =>
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
  const keys = { ada: keyOf(), ben: keyOf() };
  const sign = (key: keyof typeof keys) => (text: string) =>
    Buffer.from(signingKey(keys[key].privateKey, key).sign(Buffer.from(text))).toString('base64');
  let folder: string;
  let strict: TestSystem;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-approvers-'));
    for (const [name, { publicKey: pem }] of Object.entries(keys)) await writeFile(join(folder, `${name}.pem`), pem);
    strict = await startSystem({
      approvers: { ada: { publicKey: join(folder, 'ada.pem') }, ben: { publicKey: join(folder, 'ben.pem'), roles: ['reader'] } },
    });
  }, 60_000);
  afterAll(async () => {
    await strict?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('a decision without a proof, with a forged one, or of somebody without the role is refused; a signed one counts, and can be checked again', async () => {
    const awaiting = await challenger(strict, 'proved');
    const refused = [
      ada,
      { ...ada, sign: sign('ben') },
      { ...ada, sign: () => sign('ada')('another text') },
      { ...ben, sign: sign('ben') },
      { ...ada, by: 'eve', sign: sign('ada') },
    ];
    for (const who of refused) await expect(strict.client.approve(awaiting, who)).rejects.toMatchObject({ code: 'ApprovalRefused' });
    expect(await commands(strict, 'proved')).toEqual(['registered', 'judged']);

    const { run } = await strict.client.approve(awaiting, { ...ada, sign: sign('ada') });
    expect(await run.result()).toMatchObject({ outcome: 'promoted', by: 'ada' });
    const decided = (await strict.registry.entries({ model: 'proved', segment: 'all' }))[2]!.command;
    const proof = decided.kind === 'decided' ? decided.proof : undefined;
    if (proof?.how !== 'signature') throw new Error('there is no signature in the log');
    const key = publicKey(keys.ada.publicKey, 'ada');
    expect(proof.key).toBe(key.fingerprint);
    expect(signedBy(key, proof.statement, proof.signature)).toBe(true);
    expect(signedBy(key, { ...proof.statement, version: 2 }, proof.signature)).toBe(false);
  });

  test('nobody promotes or rolls back without one, nor by a deployment of their own, and a signed statement counts once', async () => {
    const place = { model: 'proved', segment: 'all' };
    const { version } = await strict.registry.register(place, registered('worse'), author);
    await strict.registry.judged(place, { version, verdict: verdict('worse'), against: 1 }, author);
    const state = await strict.registry.state(place);
    const second = subjectOf(state, resolveVersion(state, 2)!, 1);
    await expect((await strict.client.promote(second, ada)).result()).rejects.toMatchObject({ code: 'ApprovalRefused' });
    const forged = { ...place, version: 2, expect: 1, verdict: 'better', by: 'the gate' };
    const deployed = strict.client.temporal.workflow.execute('deploy', { args: [forged], workflowId: 'forged', taskQueue: 'perennial' });
    await expect(deployed).rejects.toMatchObject({ cause: { cause: { type: 'ApprovalRefused' } } });

    const run = await strict.client.promote(second, { ...ada, sign: sign('ada') });
    await run.result();
    const promoted = await strict.registry.state(place);
    const first = subjectOf(promoted, resolveVersion(promoted, 1)!, 2);
    await (await strict.client.rollback(first, { ...ada, sign: sign('ada') })).result();
    const { champion, entries } = await strict.registry.state(place);
    expect(champion).toBe(1);
    // Somebody who read the log sends the promotion once more.
    const { command } = (await strict.registry.entries(place)).find((entry) => entry.command.kind === 'promoted' && entry.command.version === 2)!;
    const proof = command.kind === 'promoted' ? command.proof : undefined;
    if (proof?.how !== 'signature') throw new Error('there is no signature in the log');
    const args = [{ signed: { statement: proof.statement, signature: proof.signature } }];
    await strict.client.temporal.workflow.execute('deploy', { args, workflowId: 'replayed', taskQueue: 'perennial' });
    expect(await strict.registry.state(place)).toMatchObject({ champion: 1, entries });
  });

  test('an approval does not outlive a verdict that was lost since, and a verdict is what the log says', async () => {
    const place = { model: 'outlived', segment: 'all' };
    const bring = (version: number, expected: number | null) =>
      strict.registry.promote(place, { version, expect: expected, verdict: 'better', reason: 'a rival', proof: { how: 'claimed' } }, author);
    const judge = async (name: 'better' | 'not-worse' | 'worse', version: number, against: number) =>
      strict.registry.judged(place, { version, verdict: verdict(name), against }, author);
    const deploy = (version: number, expected: number) => {
      const args = [{ ...place, version, expect: expected, verdict: 'better', by: 'mallory' }];
      return strict.client.temporal.workflow.execute('deploy', { args, workflowId: `outlived v${version}`, taskQueue: 'perennial' });
    };
    for (const name of ['first', 'second', 'third', 'fourth']) await strict.registry.register(place, registered(`outlived ${name}`), author);
    await bring(1, null);
    await strict.registry.judged(place, { version: 2, verdict: verdict('better'), against: 1, approval }, author);
    const { subject } = awaited(await strict.registry.state(place), resolveVersion(await strict.registry.state(place), 2)!);
    await strict.registry.decide(place, { ...rulingOn(subject), decision: 'approved', reason: 'looks right' }, { by: 'ada', run: null });
    await bring(3, 1);
    await judge('worse', 2, 3);
    await expect(deploy(2, 3)).rejects.toMatchObject({ cause: { cause: { type: 'ApprovalRefused' } } });
    expect((await strict.registry.state(place)).champion).toBe(3);

    await judge('not-worse', 4, 3);
    await deploy(4, 3);
    expect((await lastEntry(strict, 'outlived')).command).toMatchObject({ kind: 'promoted', version: 4, verdict: 'not-worse' });
    expect(await strict.registry.state(place)).toMatchObject({ champion: 4, anchor: 3 });
  });
});
