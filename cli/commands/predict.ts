import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { z } from 'zod';
import { isErrorCode, MlError } from '../../core/errors.ts';
import { messageOf } from '../../core/message-of.ts';
import { allRows } from '../../core/segment.ts';
import type { Prediction, Recommendations, VersionIdentity } from '../../serving/index.ts';
import { misuse, unknownModel } from '../misuse.ts';
import { parseWritten } from '../reference.ts';
import type { Written } from '../reference.ts';
import { table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';
import { wholeNumber } from '../numbers.ts';

interface PredictFlags extends VerbOptions {
  readonly user?: string;
  readonly liked?: readonly string[];
  readonly count?: number;
  readonly input?: string;
}

/** Rows of a table, as the prediction server takes them. */
const rowsForm = z.strictObject({ rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))).min(1) });

/** What a recommender is asked, as the prediction server takes it. */
const requestForm = z.strictObject({
  user: z.string().min(1).optional(),
  liked: z.array(z.string().min(1)).max(1000).optional(),
  count: z.int().min(1).max(100).default(10),
});
type Request = z.infer<typeof requestForm> | z.infer<typeof rowsForm>;

type Answer = VersionIdentity & { readonly requestedSegment: string } & (Recommendations | { readonly predictions: readonly Prediction[] });

export function predictCommand(program: Command): void {
  verb(program, 'predict <model>', 'ask a model once: the running prediction server, or else the version in the store', [
    'predict movie-recommender --user 42',
    'predict movie-recommender/month=10 --liked 1,260,1196 --count 5',
    'predict movie-recommender@2 --user 42                 # a version that need not be champion',
    `predict movie-recommender --input request.json        # {"user": "42", "liked": ["260"], "count": 5}; - is standard input`,
    `predict delivery-time --input rows.json               # {"rows": [{"distanceKm": 4.2, "weather": "Fog"}]}; what is left away is missing`,
  ])
    .option('--user <id>', 'a user by id')
    .option('--liked <ids>', 'ids of liked items, with commas between them; "" asks what a newcomer sees', (text: string) =>
      text.split(',').flatMap((id) => id.trim() || []),
    )
    .option('--count <count>', 'how many; default 10, at most 100', wholeNumber)
    .option('--input <file>', 'the request as JSON; options go before what is in it')
    .action((model: string, flags: PredictFlags) => perform(flags, (at) => predict(at, model, flags)));
}

async function predict(at: Workplace, name: string, flags: PredictFlags): Promise<void> {
  const written = parseWritten(name);
  const request = await requestOf(flags);
  const answer = (await askServer(at, written, request)) ?? (await askStore(at, name, written, request));
  if ('known' in answer) {
    if (!answer.known && 'user' in request) at.out.say(`user ${request.user} has no history here`);
    if (answer.unknown.length > 0) at.out.say(`unknown, and skipped: ${answer.unknown.join(', ')}`);
  }
  if (answer.segment !== answer.requestedSegment) at.out.say(`${answer.requestedSegment} has no champion: ${answer.segment} answers`);
  at.out.result(answer, () => answerText(answer));
}

async function requestOf({ user, liked, count, input }: PredictFlags): Promise<Request> {
  const given = input === undefined ? {} : await readRequest(input);
  if ('rows' in given) return checked(rowsForm, given);
  const asked = { ...given, ...(user !== undefined && { user }), ...(liked && { liked }), ...(count !== undefined && { count }) };
  const request = checked(requestForm, asked);
  if (request.user === undefined && request.liked === undefined) {
    throw misuse('say for whom: --user ID, --liked ID,ID,… (or "" for a newcomer), or --input FILE');
  }
  return request;
}

function checked<T>(form: z.ZodType<T>, value: unknown): T {
  const parsed = form.safeParse(value);
  if (parsed.success) return parsed.data;
  throw misuse(
    `the request is not valid: ${parsed.error.issues.map(({ path, message }) => [...(path.length > 0 ? [path.join('.')] : []), message].join(': ')).join('; ')}`,
  );
}

async function readRequest(input: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(input === '-' ? await readAll(process.stdin) : await readFile(input, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw misuse(`--input ${input} cannot be read: ${messageOf(error).replaceAll(/\s+/g, ' ')}`);
  }
  throw misuse(`--input ${input} is no JSON object: write {"user": "42"} or {"liked": ["1", "260"]}`);
}

/** The running server knows champions only. `undefined`: nobody answers there, or another version is asked for. */
async function askServer(
  at: Workplace,
  { model, segment = allRows, at: version = 'champion' }: Written,
  request: Request,
): Promise<Answer | undefined> {
  const page = (await at.running())?.page;
  if (page === undefined || version !== 'champion') return undefined;
  const body = JSON.stringify({ ...request, segment });
  const url = `${page}/v1/models/${encodeURIComponent(model)}/${'rows' in request ? 'predict' : 'recommend'}`;
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch((error: Error) => {
    at.out.say(`the prediction server at ${page} does not answer (${messageOf(error.cause ?? error)}): the store is asked instead`);
    return undefined;
  });
  if (response === undefined) return undefined;
  const answer = (await response.json()) as Answer | { readonly error: string; readonly code: string };
  if (!('error' in answer)) return answer;
  throw new MlError(isErrorCode(answer.code) ? answer.code : 'Bug', answer.error, { url, model });
}

async function askStore(
  at: Workplace,
  name: string,
  { model, segment = allRows, at: version = 'champion' }: Written,
  request: Request,
): Promise<Answer> {
  const { registry, blobs, store } = await at.kept();
  const models = await registry.models();
  if (!models.includes(model)) throw unknownModel(model, { [store.uri]: models });
  const { loadModel } = await import('../../serving/index.ts');
  const wanted = version === 'champion' ? {} : { version: (await registry.version(name)).version.version };
  const served = await loadModel({ registry, blobs }, { model, segment, ...wanted });
  try {
    const answer = 'rows' in request ? { predictions: await served.predict(request.rows) } : await served.recommend(request);
    return { ...served.identity, requestedSegment: segment, ...answer };
  } finally {
    await served.release();
  }
}

function answerText(answer: Answer): string {
  const title = `${answer.model}/${answer.segment}@${answer.version}`;
  if ('predictions' in answer) return [title, ...answer.predictions.map(predictionText)].join('\n');
  const { items } = answer;
  if (items.length === 0) return `${title} recommends nothing`;
  const rows = items.map(({ rank, id, title: name, categories, score }) => [String(rank), id, name, categories.join(', '), score.toFixed(3)]);
  return `${title}\n${table(['>', '>id', 'title', 'categories', '>score'], rows)}`;
}

function predictionText(prediction: Prediction): string {
  if ('prediction' in prediction) return `${prediction.prediction}${prediction.interval ? ` (${prediction.interval.join(' to ')})` : ''}`;
  if ('probability' in prediction) {
    const { probability, positive } = prediction;
    return `${probability.toFixed(6)}${positive === undefined ? '' : positive ? ' positive' : ' negative'}`;
  }
  return Object.entries(prediction.probabilities)
    .map(([name, probability]) => `${name} ${probability.toFixed(6)}`)
    .join(', ');
}
