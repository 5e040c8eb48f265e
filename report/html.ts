/** Markup that is safe to insert as it stands. Only `html` and `trusted` make it. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** What a template may hold: text is escaped, `Html` is not, nothing is left out, lists are joined. */
export type Content = Html | string | number | false | null | undefined | readonly Content[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? character);

/** Markup of our own making (a stylesheet, a drawn plot), never text of a user. */
export const trusted = (markup: string): Html => new Html(markup);

/** HTML in which every inserted value is escaped, unless it is `Html` itself. Attribute values must stand in quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((markup, part, i) => markup + render(values[i - 1]) + part));
}

function render(content: Content): string {
  if (content === undefined || content === null || content === false) return '';
  if (content instanceof Html) return content.toString();
  if (typeof content === 'object') return content.map(render).join('');
  return escapeHtml(String(content));
}
