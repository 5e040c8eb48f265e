const codeOf = (character: string): number => character.charCodeAt(0);
const quote = codeOf('"');
const backslash = codeOf('\\');
const comma = codeOf(',');
const openBracket = codeOf('[');
const closeBracket = codeOf(']');
const openBrace = codeOf('{');
const closeBrace = codeOf('}');

/**
 * The elements of a JSON array as they are written: `text` is the array, or an object whose member `member` is. A parser would turn
 * 12345678901234567890 into 12345678901234567000; a key must stay as it is.
 *
 * `text` must be valid JSON. Of several members of that name the last counts, as for parsers. A line break inside an element becomes a space.
 */
export function jsonElements(text: string, member: string): readonly string[] {
  let elements: string[] = [];
  let depth = 0;
  /** The depth inside the wanted array; -1 outside. */
  let inside = -1;
  let from = 0;
  let key = '';
  const take = (to: number) => {
    const element = text.slice(from, to).trim();
    if (element !== '') elements.push(/[\r\n]/.test(element) ? element.replaceAll(/\s*[\r\n]\s*/g, ' ') : element);
    from = to + 1;
  };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      const end = endOfString(text, i);
      if (depth === 1 && inside < 0) key = text.slice(i + 1, end);
      i = end;
    } else if (code === openBracket || code === openBrace) {
      depth++;
      if (code === openBracket && (depth === 1 || (depth === 2 && key === member && inside < 0))) {
        [inside, from, elements] = [depth, i + 1, []];
      }
    } else if (code === closeBracket || code === closeBrace) {
      if (depth === inside) {
        take(i);
        inside = -1;
      }
      depth--;
    } else if (code === comma && depth === inside) take(i);
  }
  return elements;
}

/** The position of the quote that ends the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
}
