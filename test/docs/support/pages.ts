import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(__dirname, '../../..');

/** A fenced block of a page. */
export interface Fence {
  /** First word behind the fence: `ts`, `yaml`, `sh`, `text`. */
  readonly language: string;
  /** The words behind it: `run`, `result`, `kind=Gateway`. */
  readonly words: readonly string[];
  readonly text: string;
  /** Offsets of `text` in the page. */
  readonly start: number;
  readonly end: number;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

export interface Page {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly text: string;
  readonly fences: readonly Fence[];
}

/** All pages that people read, sorted. */
export function pages(): Page[] {
  const files = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...below('docs', '.md'), ...below('examples', '.md')];
  return files.filter((file) => existsSync(path.join(ROOT, file))).map(page);
}

export function page(file: string): Page {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return { file, text, fences: fencesOf(text) };
}

/** The page without its code. */
export function prose({ text, fences }: Page): string {
  return [...fences].reverse().reduce((left, { start, end }) => left.slice(0, start) + left.slice(end), text);
}

/** TypeScript files below a folder, relative to the root of the repository. */
export function sourceFiles(folder: string): string[] {
  return below(folder, '.ts');
}

function below(folder: string, ending: string): string[] {
  return readdirSync(path.join(ROOT, folder))
    .sort()
    .flatMap((name) => {
      const file = `${folder}/${name}`;
      if (statSync(path.join(ROOT, file)).isDirectory()) return below(file, ending);
      return name.endsWith(ending) ? [file] : [];
    });
}

function fencesOf(text: string): Fence[] {
  const fences: Fence[] = [];
  for (const match of text.matchAll(/^```([^\n]*)\n((?:(?!```)[^\n]*\n)*)```[ ]*$/gm)) {
    const [language = '', ...words] = match[1]!.trim().split(/\s+/);
    const start = match.index + 4 + match[1]!.length;
    const line = text.slice(0, match.index).split('\n').length;
    fences.push({ language, words, text: match[2]!, start, end: start + match[2]!.length, line });
  }
  return fences;
}
