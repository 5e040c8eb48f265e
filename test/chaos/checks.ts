import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from '../../core/registry-entry.ts';
import { verify } from '../../registry/verify/verify.ts';
import { readMade } from '../../stores/artifact-store.ts';
import { provenanceDigest } from '../../stores/digest.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import type { Answers } from './customer.ts';
import type { Ended } from './follow-plan.ts';
import type { Chain } from './inputs.ts';
import type { Plant } from './plant.ts';

/** One promise, with the figures that it was checked on; broken if anything is wrong. */
export interface Check {
  readonly promise: string;
  readonly figures: string;
  readonly wrong: readonly string[];
}

/** The registry entries of each chain must be those that an undisturbed plant wrote: none lost, none doubled, the same packages and verdicts. */
export async function checkLogs(plan: readonly Chain[], disturbed: Plant, calm: Plant): Promise<Check> {
  let entries = 0;
  const wrong: string[] = [];
  for (const [{ spec, segment }] of plan as readonly (readonly [Chain[0] & object])[]) {
    const place = { model: spec.name, segment };
    const found = (await disturbed.registry.entries(place)).map(say);
    const expected = (await calm.registry.entries(place)).map(say);
    entries += found.length;
    for (let at = 0; at < Math.max(found.length, expected.length); at++) {
      if (found[at] !== expected[at])
        wrong.push(`${spec.name}/${segment} entry ${at + 1} is ${found[at] ?? 'missing'}, not ${expected[at] ?? 'there'}`);
    }
  }
  return { promise: 'no lost or doubled registry entry', figures: `${entries} entries in ${plan.length} logs, as undisturbed`, wrong };
}

function say({ command }: Entry): string {
  if (command.kind === 'registered') return `registered v${command.version} ${command.registered.package.sha256}`;
  if (command.kind === 'judged') return `judged v${command.version} ${command.verdict.name} against ${command.against}`;
  if (command.kind === 'decided') return `${command.decision} v${command.version} over ${command.expect}`;
  if (command.kind === 'promoted') return `promoted v${command.version} over ${command.expect}`;
  return command.kind;
}

/** Every byte, chain and reference of the store, as `perennial verify` sees them. */
export async function checkStore(store: ObjectStore): Promise<Check> {
  const { findings, ...counts } = await verify(store);
  return { promise: 'chains and bytes intact', figures: JSON.stringify(counts), wrong: findings.map((finding) => JSON.stringify(finding)) };
}

/** What was made of the same is the same: within the disturbed store, and compared with the undisturbed one. */
export async function checkMade(disturbed: ObjectStore, calm: ObjectStore): Promise<Check> {
  const digests = new Map<string, Set<string>>();
  const note = async (store: ObjectStore): Promise<Set<string>> => {
    const inputs = new Set<string>();
    for (const { provenance, artifact } of await readMade(store)) {
      const input = `${provenanceDigest(provenance)} ${artifact.kind} of ${provenance.step}`;
      inputs.add(input);
      digests.set(input, (digests.get(input) ?? new Set()).add(artifact.sha256));
    }
    return inputs;
  };
  const [here, there] = [await note(disturbed), await note(calm)];
  const both = [...here].filter((input) => there.has(input)).length;
  const wrong = [...digests].filter(([, made]) => made.size > 1).map(([input, made]) => `${input}: ${[...made].join(' and ')}`);
  return { promise: 'one SHA-256 per distinct input', figures: `${here.size} inputs, ${both} of them made undisturbed, too`, wrong };
}

/** Every run that Temporal knows to have ended has a record that tells of its end. */
export async function checkRecords({ client, runs }: Plant, ended: readonly Ended[]): Promise<Check> {
  const wrong: string[] = [];
  let known = 0;
  const asked = new Set(ended.map(({ runId }) => runId));
  for await (const { runId, workflowId, type, status } of client.temporal.workflow.list()) {
    // The sweep that archived all others cannot tell of its own end.
    if (status.name === 'RUNNING' || type === 'sweepLineage') continue;
    known++;
    asked.delete(runId);
    const record = await runs.find(runId);
    if (record?.closedAt === undefined) wrong.push(`${workflowId} (${runId}) has ${record === undefined ? 'no record' : 'a record without its end'}`);
    else await runs.history(record);
  }
  for (const runId of asked) if ((await runs.find(runId)) === undefined) wrong.push(`Temporal has forgotten ${runId}, and it has no record`);
  return { promise: 'a record of every run', figures: `${known} closed runs with their histories`, wrong };
}

/** The prediction server answers with champions only, and with today's at the end. */
export async function checkServing({ serving, registry }: Plant, answers: Answers): Promise<Check> {
  const wrong = [...answers.wrong];
  const champions = new Map<string, string>();
  const promoted = new Map<string, Set<string>>();
  for (const model of await registry.models()) {
    for (const segment of await registry.segments(model)) {
      const { versions, champion } = await registry.state({ model, segment });
      const packages = versions.map((version) => version.package.sha256);
      if (champion !== null) champions.set(`${model}/${segment}`, packages[champion - 1]!);
      const entries = await registry.entries({ model, segment });
      const brought = entries.flatMap(({ command }) => (command.kind === 'promoted' ? [packages[command.version - 1]!] : []));
      promoted.set(`${model}/${segment}`, new Set(brought));
    }
  }
  for (const [digest, place] of answers.digests)
    if (promoted.get(place)?.has(digest) !== true) wrong.push(`${place} answered from ${digest}, never promoted`);
  const lacks = await within(30_000, async () => {
    const served = await servedBy(serving.url);
    return [...champions].filter(([place, digest]) => served.get(place) !== digest).map(([place]) => place);
  });
  wrong.push(...lacks.map((place) => `${place} does not serve its champion`));
  const { good, unserved, digests } = answers;
  return {
    promise: 'the server serves champions',
    figures: `${champions.size} champions; ${good} answers from ${digests.size} versions, ${unserved} unserved while it was down`,
    wrong,
  };
}

async function servedBy(url: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { slots } = (await (await fetch(`${url}/health`)).json()) as {
      readonly slots: readonly { model: string; segment: string; digest: string }[];
    };
    return new Map(slots.map(({ model, segment, digest }) => [`${model}/${segment}`, digest]));
  } catch {
    return new Map(); // It is coming up.
  }
}

/** Looks until nothing is lacking; what is lacking at the end. */
async function within(ms: number, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (const deadline = performance.now() + ms; ;) {
    const lacks = await look();
    if (lacks.length === 0 || performance.now() > deadline) return lacks;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What killed workers left behind on this machine, once the last one has stopped. */
export async function checkScratch(folder: string): Promise<Check> {
  const scratch = await namesIn(join(folder, 'work', 'scratch'));
  const halves = (await namesIn(join(folder, 'work', 'blobs'))).filter((name) => !/^[0-9a-f]{64}$/.test(name));
  const resume = await namesIn(join(folder, 'work', 'resume'));
  const figures = `${scratch.length} in scratch, ${halves.length} half copies in the cache, ${resume.length} half-read sources`;
  return { promise: 'nothing left behind', figures, wrong: [...scratch, ...halves] };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
