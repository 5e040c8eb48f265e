import { stripVTControlCharacters } from 'node:util';
import { styled } from './output.ts';

/** Columns that line up, two spaces apart; a title that begins with `>` is that of figures, which end at one line. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = titles.map((title) => title.replace(/^>/, ''));
  const widths = names.map((name, column) => Math.max(name.length, ...rows.map((row) => widthOf(row[column] ?? ''))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const gap = ' '.repeat(widths[column]! - widthOf(cell));
        return titles[column]!.startsWith('>') ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  return [styled('dim', line(names)), ...rows.map(line)].join('\n');
}

/** Names with what belongs to them, one a line. */
export function fields(entries: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, text]) => `${styled('dim', name.padEnd(width))}  ${text}`).join('\n');
}

const widthOf = (text: string): number => Array.from(stripVTControlCharacters(text)).length;
