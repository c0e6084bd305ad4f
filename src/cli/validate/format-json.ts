import type { Report } from './report';

/** One object: `findings`, `objects`, `unreadable`. Fields of a finding are those of the library's `Finding`. */
export function formatJson({ findings, objectCount, unreadable }: Report): string {
  return `${JSON.stringify({ findings, objects: objectCount, unreadable }, null, 2)}\n`;
}
