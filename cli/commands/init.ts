import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { misuse } from '../misuse.ts';
import { root } from '../root.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

export function initCommand(program: Command): void {
  verb(
    program,
    'init <folder>',
    'make a project: configuration, a recommender and a model of a table on small samples, a workflow of its own, a test, a Dockerfile',
    ['init my-project', 'init .                                                # the folder that we are in, if it is empty'],
  ).action((folder: string, flags: VerbOptions) => perform(flags, (at) => init(at, folder)));
}

async function init(at: Workplace, asked: string): Promise<void> {
  const folder = resolve(asked);
  const name = nameOf(folder);
  await refuseIfUsed(folder);

  await mkdir(folder, { recursive: true });
  await cp(join(root, 'template'), folder, { recursive: true });
  await cp(join(root, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
  // npm would take these for its own, and leave them out of our package or read them.
  for (const file of ['gitignore', 'dockerignore', 'npmrc']) await rename(join(folder, file), join(folder, `.${file}`));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(await packageOf(name), null, 2)}\n`);
  for (const file of ['README.md', 'Dockerfile']) {
    const path = join(folder, file);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('my-project', name));
  }

  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(folder, '.git')))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
  const there = relative('', folder);
  const next = [
    ...(there === '' ? [] : [`cd ${there}`]),
    'npm install',
    'npx perennial dev                        # Temporal, a worker, the prediction server and its page; leave it running',
    'npx perennial train film-recommender     # in another terminal; ticket-escalation is a model of a table',
  ];
  at.out.result({ name, folder, files, next: next.map((line) => line.split(/\s+#/)[0]) }, () =>
    [`${name} is made: ${files.length} files, and its README.md tells what each is for. Next:`, '', ...next.map((line) => `  ${line}`)].join('\n'),
  );
}

/** What npm takes for a name, and a container registry too. */
function nameOf(folder: string): string {
  const name = basename(folder);
  if (/^[a-z0-9]+([._-][a-z0-9]+)*$/.test(name) && name.length <= 128 && name !== 'perennial-ml' && name !== 'node_modules') return name;
  throw misuse(`"${name}" cannot be the name of a project: use lower-case letters and digits, joined by "-", such as my-project`);
}

async function refuseIfUsed(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw misuse(`${folder} is a file: name a new folder, or an empty one`);
    throw error;
  });
  // A repository without a file in it is how some begin.
  const [first] = there.filter((entry) => entry !== '.git');
  if (first !== undefined) throw misuse(`${folder} is not empty (it has ${first}): name a new folder, or an empty one`);
}

interface OwnPackage {
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** The versions that this release was tested with. */
async function packageOf(name: string): Promise<object> {
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as OwnPackage;
  const pick = (from: Readonly<Record<string, unknown>>, ...names: readonly string[]) => Object.fromEntries(names.map((each) => [each, from[each]]));
  return {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    engines: own.engines,
    scripts: {
      dev: 'perennial dev',
      train: 'perennial train film-recommender',
      test: 'tsc && node --import perennial-ml/typescript --test test/*.test.ts',
    },
    dependencies: {
      ...own.peerDependencies,
      'perennial-ml': own.version,
      // Named here, so that npm installs one copy for all: with several, Temporal's library does not know histories that it is given to replay.
      ...pick(own.dependencies, 'protobufjs'),
    },
    devDependencies: pick(own.devDependencies, '@types/node', 'typescript'),
    // Fastify's own choice would need Node 22.
    overrides: pick(own.overrides, 'light-my-request'),
  };
}
