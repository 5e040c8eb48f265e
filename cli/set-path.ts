import type { Json } from '../core/artifact.ts';
import { misuse } from './misuse.ts';

type Path = readonly (string | number)[];

/**
 * A copy of `value` with the settings made, each `path=value` as in `train.0.with.l2=200` or `train[0].with.l2=200`. The value is JSON; what is no
 * JSON is text. Objects on the way are made; places in a list are not, but for the one after its last.
 *
 * @throws {Misuse}
 */
export function withSettings(value: Json, settings: readonly string[]): Json {
  return settings.reduce<Json>((current, setting) => {
    const equals = setting.indexOf('=');
    const path = equals < 1 ? [] : parsePath(setting.slice(0, equals));
    if (path.length === 0) throw misuse(`--set ${setting} is not of the form path=value: write it as train.0.with.l2=200`);
    return put(current, path, parseValue(setting.slice(equals + 1)), setting);
  }, value);
}

function parsePath(text: string): Path {
  const parts = text.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  return parts.includes('') ? [] : parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Text needs no quotes: a shell takes them away.
    return text;
  }
}

function put(value: Json | undefined, [step, ...rest]: Path, leaf: Json, setting: string): Json {
  if (step === undefined) return leaf;
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    if (typeof step !== 'number' || step > list.length) {
      throw misuse(`--set ${setting}: there is no "${step}" in a list of ${list.length}: count from 0`);
    }
    return Object.assign([...list], { [step]: put(list[step], rest, leaf, setting) });
  }
  if (value !== undefined && (typeof value !== 'object' || value === null)) {
    throw misuse(`--set ${setting}: what is before "${step}" is ${JSON.stringify(value)}, which has no parts`);
  }
  const name = String(step);
  const before = value as { readonly [key: string]: Json | undefined } | undefined;
  const own = before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
  // Entries, not assignment: "__proto__" is a name like any other.
  return Object.fromEntries([...Object.entries(before ?? {}).filter(([key]) => key !== name), [name, put(own, rest, leaf, setting)]]);
}
