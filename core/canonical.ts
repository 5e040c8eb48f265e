import canonicalize from 'canonicalize';

/** RFC 8785 canonical JSON: the same value gives the same bytes everywhere. `undefined` members are left out. */
export function canonical(value: unknown): string {
  const text = (canonicalize as unknown as (value: unknown) => string | undefined)(value);
  if (text === undefined) throw new TypeError('a value without a JSON form has no canonical JSON');
  return text;
}
