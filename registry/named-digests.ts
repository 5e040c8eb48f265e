import type { Call, Key, ObjectStore } from '../stores/object-store.ts';

/**
 * Every SHA-256 that a JSON object or array names, wherever: an examined model names its ONNX file, a package its files. Whatever looks like a digest counts,
 * so that no kind of file has to be known here. Of other files only the beginning is read.
 */
export async function digestsNamedIn(store: ObjectStore, place: Key, call?: Call): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  let tail = '';
  for await (const chunk of (await store.read(place, 0, call)) ?? []) {
    // JSON outside of strings is ASCII, and so are digests: no need to mind where a character was cut.
    const text = tail + Buffer.from(chunk).toString('latin1');
    if (tail === '' && !/^\s*[{[]/.test(text)) break;
    for (const [sha256] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)) named.add(sha256);
    tail = text.slice(-65);
  }
  return named;
}
