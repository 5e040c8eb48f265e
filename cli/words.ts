import type { Json } from '../core/artifact.ts';
import type { Window } from '../core/manifest.ts';
import type { Gain } from '../core/registry-entry.ts';

/** How figures, times and sizes are written for people. */
export const figure = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(4));
export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
export const short = (sha256: string): string => sha256.slice(0, 12);
export const count = (value: number): string => value.toLocaleString('en');
export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

/** Names one after the other; of very many the first. */
export const namesText = (names: readonly string[], most = 30): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${count(names.length - most)} more`;

/** `2026-11-24 06:21`, in UTC. */
export const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

export function duration(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Midnight is left out: `2025-10-01..2025-11-01`. */
export function windowText({ from, to }: Window): string {
  const date = (iso: string) => iso.replace(/T00:00(:00(\.0+)?)?Z$/, '').replace(/\.\d+Z$/, 'Z');
  return `${date(from)}..${date(to)}`;
}

export const gainText = ({ over, value, low, high }: Gain): string => `${over} ${signed(value)} (${signed(low)} to ${signed(high)})`;

/** `912 MB`, in powers of ten; less than a tenth of a megabyte in KB. */
export const sizeText = (bytes: number): string => {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e5 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} KB`;
};

/** A value of JSON on one line, cut where it is long; of a digest its beginning. */
export function valueText(value: Json | undefined, longest = 80): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string' && /^[0-9a-f]{32,}/.test(value)) return short(value);
  const text = JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
