/**
 * Makes the three encrypted files of `readmission` from the archive in which the data is published (UCI, "Diabetes 130-US hospitals"), as if each came
 * from another department. Nothing is on a disk in the clear: the archive is unpacked in memory.
 *
 *     node dist/pipelines/readmission/encrypt.js dataset_diabetes.zip .perennial/hospital
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { unzipSync } from 'fflate';

const ofRegistration = ['encounter_id', 'patient_nbr', 'race', 'gender', 'age', 'payer_code'];
const notOfEncounter = ['race', 'gender', 'age', 'payer_code', 'weight'];

/** Writes `registrations.csv.age` (who came), `encounters.csv.age` (what was done) and `codes.csv.age` (what the codes mean). */
export async function encryptInputs(archive: string, folder: string, recipient: string): Promise<void> {
  const files = unzipSync(await readFile(archive));
  const named = (name: string): string => {
    const found = Object.keys(files).find((path) => path.endsWith(`/${name}`) || path === name);
    if (found === undefined) throw new Error(`${archive} holds no ${name}: it holds ${Object.keys(files).join(', ')}`);
    return new TextDecoder().decode(files[found]);
  };
  // No field of this table holds a comma or a quote.
  const [header, ...rows] = linesOf(named('diabetic_data.csv')).map((line) => line.split(','));
  const selected = (columns: readonly string[]): string => {
    const places = columns.map((column) => header!.indexOf(column));
    return [header!, ...rows].map((row) => places.map((place) => row[place]).join(',')).join('\n');
  };
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  await mkdir(folder, { recursive: true });
  for (const [name, content] of [
    ['registrations', selected(ofRegistration)],
    ['encounters', selected(header!.filter((column) => !notOfEncounter.includes(column)))],
    ['codes', codesOf(named('IDs_mapping.csv'))],
  ] as const) {
    await writeFile(join(folder, `${name}.csv.age`), await encrypter.encrypt(content));
  }
}

/** The published file holds three tables, one below the other: each begins with a line that names its code. */
function codesOf(text: string): string {
  const codes = ['code,id,description'];
  let code = '';
  for (const line of linesOf(text)) {
    const comma = line.indexOf(',');
    const id = line.slice(0, comma);
    if (id.endsWith('_id')) code = id;
    else if (id !== '') codes.push(`${code},${line}`);
  }
  return codes.join('\n');
}

const linesOf = (text: string): readonly string[] => text.split(/\r?\n/).filter((line) => line !== '');

/** The key of a file; a new one where there is none yet. */
async function keyIn(folder: string, name: string, make: () => string | Promise<string>): Promise<string> {
  const path = join(folder, name);
  await mkdir(folder, { recursive: true });
  if (!existsSync(path)) await writeFile(path, `${await make()}\n`, { mode: 0o600, flag: 'wx' });
  return (await readFile(path, 'utf8')).trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [archive, folder] = process.argv.slice(2);
  if (archive === undefined || folder === undefined) throw new Error('usage: encrypt.js <dataset_diabetes.zip> <folder>');
  const identity = await keyIn(`${folder}-keys`, 'identity.key', generateIdentity);
  await keyIn(`${folder}-keys`, 'pseudonyms.key', () => randomBytes(32).toString('base64'));
  await encryptInputs(archive, folder, await identityToRecipient(identity));
  process.stdout.write(`three encrypted files are in ${folder}, their keys in ${folder}-keys\n`);
}
