import {
  Composer,
  type Document,
  isCollection,
  isNode,
  isScalar,
  LineCounter,
  type ParsedNode,
  Parser,
  type ScalarTag,
  type Tags,
  visit,
  type YAMLParseError,
} from 'yaml';
import { isTooDeep, MAX_DEPTH } from './nesting';

/** Something that keeps a document, or a text, from being read. */
export interface YamlProblem {
  readonly what: string;
  readonly fix: string;
  /** Where in the text, in UTF-16 units; undefined when it is about the text as a whole. */
  readonly offset?: number;
}

export interface YamlDocument {
  readonly document: Document.Parsed;
  /** Empty for one that can be used. */
  readonly problems: readonly YamlProblem[];
}

export interface YamlText {
  readonly documents: readonly YamlDocument[];
  /** Of documents that could not be composed. */
  readonly problems: readonly YamlProblem[];
  readonly lines: LineCounter;
}

const FIX = 'write valid YAML or JSON';

/** The documents of a text as Kubernetes tools read it, in bounded time and depth. Never throws. */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const documents: YamlDocument[] = [];
  const problems: YamlProblem[] = [];
  try {
    const composer = new Composer({
      version: '1.1',
      merge: true,
      // The library compares every key with every other; checkKeys does it in one pass.
      uniqueKeys: false,
      customTags: kubernetesTags,
      logLevel: 'silent',
    });
    const tokens = [...new Parser(lines.addNewLine).parse(text)];
    const deep = tokens.filter(isTooDeep);
    for (const { offset } of deep) {
      problems.push({ what: `is nested deeper than ${MAX_DEPTH} levels`, fix: 'write it flatter', offset });
    }
    for (const document of composer.compose(tokens.filter((token) => !deep.includes(token)))) {
      const errors = document.errors.map(toProblem);
      documents.push({ document, problems: errors.length > 0 ? errors : checkKeys(document.contents) });
    }
  } catch (error) {
    problems.push({ what: (error as Error).message, fix: FIX });
  }
  return { documents, problems, lines };
}

// The library's message repeats the place and draws the line below it.
function toProblem(error: YAMLParseError): YamlProblem {
  const what = error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
  return { what, fix: FIX, offset: error.pos[0] };
}

/** Keys that stand twice in a map, and keys that are no text, such as an unquoted `{{ x }}`. */
function checkKeys(root: ParsedNode | null): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(root, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (isCollection(key)) problems.push({ what: 'a key is no text', fix: FIX, offset });
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) problems.push({ what: 'Map keys must be unique', fix: FIX, offset });
        seen.add(key.value);
      }
    },
  });
  return problems;
}

/**
 * What YAML means to Kubernetes tools, which is neither version: `yes` and `on` are booleans and `0644` is octal as in YAML 1.1, `0o644`
 * is octal as in 1.2, and dates and `1:30` stay text.
 */
function kubernetesTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => {
    const { tag: name, format } =
      typeof tag === 'string' ? { tag, format: undefined } : (tag as { tag: string; format?: string });
    return format !== 'TIME' && !/timestamp|binary|omap|pairs|set$/.test(name);
  });
  return [OCTAL, ...kept];
}

const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => (text.startsWith('-') ? -1 : 1) * Number.parseInt(text.replace(/^[-+]?0o/, ''), 8),
};
