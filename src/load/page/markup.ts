/**
 * HTML from text: everything that comes from a job, a file name or a report goes through here.
 *
 * Markup is a type of its own, so that text cannot be taken for it by mistake.
 */

/** HTML that is safe to put into a page. */
export interface Markup {
  readonly html: string;
}

type Content = Markup | string | number | null | readonly (Markup | string | number | null)[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand in an element, or in a quoted attribute. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A template whose substitutions are escaped, unless they are markup. Arrays are put together. */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const rendered = values.map((value, at) => render(value) + parts[at + 1]!);
  return { html: parts[0]! + rendered.join('') };
}

function render(value: Content): string {
  if (value === null) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(`${value}`);
  return 'html' in value ? value.html : value.map(render).join('');
}

/** JSON as it may stand in a script element: what could end it, or a line of it, is escaped. */
export function embeddedJson(value: unknown): Markup {
  const html = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { html };
}
