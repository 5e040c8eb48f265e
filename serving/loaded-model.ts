import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { aggregateGroups } from '../core/aggregates.ts';
import type { TableEncoding } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import type { FileRole, Golden, Item } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { taskOf } from '../core/tasks/index.ts';
import type { TableKind } from '../core/tasks/table-exam.ts';
import type { RecommendationQuestion } from '../core/tasks/recommendation.ts';
import { recommendation } from '../core/tasks/recommendation.ts';
import { checkGolden, checkSignature } from '../onnx/examine.ts';
import { openSession, type Session } from '../onnx/session.ts';
import { bestValue, findUsers, profileOf, readHistories, type Histories } from './histories.ts';
import { predictor } from './loaded-table.ts';
import { catalogueOf, questionOf, ranked, type Catalogue, type Conventions } from './recommend.ts';
import { describeVersion, type LocalVersion, type RequestRow, type ServedModel } from './served-model.ts';
import { titleSearch } from './title-search.ts';

/** The golden answers were made on another machine: float32 sums differ in the last digits. */
const goldenTolerance = 1e-5;

const newcomer: RecommendationQuestion = { unit: '', items: [], values: [], agesDays: [], exclude: [], relevant: [] };

/**
 * Opens a version in this thread, which it blocks meanwhile. Every byte that is used is hashed first, and the golden examples are answered again:
 * what passes here answers as it did when it was packed.
 *
 * @throws {MlError} `ArtifactCorrupt`, `ArtifactMissing`, `PackageInvalid`, `ModelInvalid`, `ParityBroken`.
 */
export async function loadModel(local: LocalVersion): Promise<ServedModel> {
  const files = await readFiles(local);
  const part = (role: FileRole): Buffer => {
    const bytes = files.get(role);
    if (!bytes) throw new MlError('PackageInvalid', `${describeVersion(local)} has no ${role}: pack it again`);
    return bytes;
  };
  const session = await openSession(part('model'));
  try {
    checkSignature(session, local.manifest.task, local.manifest.signature);
    await checkGolden(session, parse<Golden>(part('golden'), local, 'golden'), goldenTolerance);
    const { model, segment, version, digest, manifest } = local;
    const rest = { identity: { model, segment, version, digest }, manifest, release: () => session.release() };
    return { ...(files.has('items') ? await recommender(local, session, part) : await table(local, session, part)), ...rest };
  } catch (error) {
    await session.release();
    throw error;
  }
}

type Answers = Omit<ServedModel, 'identity' | 'manifest' | 'release'>;

async function recommender(local: LocalVersion, session: Session, part: (role: FileRole) => Buffer): Promise<Answers> {
  const catalogue = catalogueOf(parse<readonly Item[]>(part('items'), local, 'items'));
  const histories = await historiesOf(local, catalogue);
  const conventions = await conventionsOf(local, histories);
  await checkCatalogue(session, catalogue);
  const findItems = titleSearch(catalogue.items);
  return {
    async recommend(request) {
      const history = request.user === undefined ? undefined : histories.get(request.user);
      const { question, unknown } = questionOf(request, catalogue, history, conventions);
      const outputs = await session.run(recommendation.feeds(question));
      return { known: history !== undefined, unknown, items: ranked(catalogue, recommendation.answer(question, outputs, request.count)) };
    },
    predict: () => Promise.reject(notAsked(local, 'recommend')),
    items: async (ids) => ids.flatMap((id) => catalogue.items[catalogue.positions.get(id) ?? -1] ?? []),
    findItems: async (query, limit) => findItems(query, limit),
    findUsers: async (query, limit) => findUsers(histories, query, limit),
    async user(id, favourites) {
      const history = histories.get(id);
      return history ? profileOf(id, history, catalogue, favourites) : null;
    },
  };
}

async function table(local: LocalVersion, session: Session, part: (role: FileRole) => Buffer): Promise<Answers> {
  const { together } = taskOf(local.manifest.task as TableKind);
  if (together === undefined)
    throw new MlError('PackageInvalid', `${describeVersion(local)} is of task ${local.manifest.task} and has no items: pack it again`);
  const windowed = aggregateGroups(await specOf(local)).flatMap(({ features }) => features.map(({ name }) => name));
  const predict = predictor(together, parse<TableEncoding>(part('preprocessor'), local, 'preprocessor'), session);
  return {
    async predict(rows) {
      expectFeatures(rows, windowed);
      return predict(rows);
    },
    recommend: () => Promise.reject(notAsked(local, 'predict')),
    items: async () => [],
    findItems: async () => [],
    findUsers: async () => [],
    user: async () => null,
  };
}

/** No row that was trained on lacked them, so that to leave them away would not be to say that they are missing. */
function expectFeatures(rows: readonly RequestRow[], names: readonly string[]): void {
  for (const [row, given] of rows.entries()) {
    const name = names.find((each) => (given[each] ?? null) === null);
    if (name === undefined) continue;
    throw new MlError('FeaturesMissing', `row ${row}: "${name}" is left away: send it with the row, or ask a server that rows are pushed to`, {
      row,
      name,
    });
  }
}

/** The same words go to whoever asks over HTTP and to whoever types. */
const asking = { recommend: 'for a "user" or for what somebody "liked"', predict: 'for "rows" of a table' } as const;
const typed = { recommend: '--user 42', predict: '--input rows.json' } as const;

const notAsked = ({ model, manifest }: LocalVersion, instead: keyof typeof asking): MlError =>
  new MlError(
    'RequestInvalid',
    `${model} is a model of task ${manifest.task}, which is asked ${asking[instead]}: \`perennial predict ${model} ${typed[instead]}\`, or POST /v1/models/${model}/${instead}`,
    { model, task: manifest.task },
  );

/** The package's files by role. The hash is taken of the very bytes that are used, whoever checked the file before. */
async function readFiles(local: LocalVersion): Promise<ReadonlyMap<FileRole, Buffer>> {
  await readVerified(local, local.digest);
  const files = new Map<FileRole, Buffer>();
  for (const { role, sha256 } of local.manifest.files) files.set(role, await readVerified(local, sha256));
  return files;
}

async function readVerified(local: LocalVersion, sha256: string): Promise<Buffer> {
  const path = local.paths[sha256];
  if (path === undefined) throw new MlError('Bug', `${describeVersion(local)} needs the content ${sha256}, which was not fetched`);
  const bytes = await readFile(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === sha256) return bytes;
  throw new MlError('ArtifactCorrupt', `${describeVersion(local)}: the content of ${sha256} hashes to ${found}: restore it, or make it again`, {
    sha256,
    found,
  });
}

async function historiesOf(local: LocalVersion, catalogue: Catalogue): Promise<Histories> {
  if (local.history === undefined) return new Map();
  const lines = await promisify(gunzip)(await readVerified(local, local.history));
  return readHistories(lines.toString('utf8'), catalogue);
}

async function conventionsOf(local: LocalVersion, histories: Histories): Promise<Conventions> {
  const { target } = (await specOf(local)) as ModelSpec<'recommendation'>;
  return {
    relevantFrom: target.relevantFrom,
    asOfMs: Date.parse(local.manifest.window.to),
    likedValue: bestValue(histories, target.relevantFrom),
  };
}

const specOf = async (local: LocalVersion): Promise<ModelSpec> => parse<ModelSpec>(await readVerified(local, local.spec), local, 'spec');

async function checkCatalogue(session: Session, { items }: Catalogue): Promise<void> {
  const { scores } = await session.run(recommendation.feeds(newcomer));
  if (scores?.data.length === items.length) return;
  throw new MlError('PackageInvalid', `the model gives ${scores?.data.length ?? 0} scores for ${items.length} items: pack it again`);
}

function parse<T>(bytes: Buffer, local: LocalVersion, what: FileRole | 'spec'): T {
  try {
    return JSON.parse(bytes.toString('utf8')) as T;
  } catch (cause) {
    throw new MlError('PackageInvalid', `${describeVersion(local)}: its ${what} is not JSON: pack it again`, {}, { cause });
  }
}
