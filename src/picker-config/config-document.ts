import { type Document, isAlias, isCollection, isPair, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { ConfigNode, type ConfigSource } from './config-node';

/** A ConfigMap holds at most 1 MiB, so nothing larger can be meant as a configuration. */
const MAX_TEXT_BYTES = 1 << 20;
/** Deeper nesting than any field of these files needs; keeps recursion off the end of the stack. */
const MAX_DEPTH = 64;
/** Nodes after aliases are expanded; stops "billion laughs". */
const MAX_NODES = 200_000;
/** Finding what an alias stands for walks the document, so an alias weighs more than a value. */
const ALIAS_WEIGHT = 200;

/** One YAML or JSON document with the position of every value, and the list that its faults are gathered in. */
export class ConfigDocument implements ConfigSource {
  public readonly problems: Problem[] = [];
  /** Undefined when the text is not a document; `problems` then says why. */
  public readonly root: ConfigNode | undefined;

  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed | undefined;

  /** @param file name that positions are given with, for example the path as the user wrote it */
  public constructor(
    text: string,
    private readonly file: string,
  ) {
    if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
      this.refuse('the file is too large', { value: `${Buffer.byteLength(text)} bytes`, allowed: `${MAX_TEXT_BYTES} bytes` });
      return;
    }
    try {
      this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, logLevel: 'silent' });
    } catch (error) {
      // a pathological nesting can exhaust the stack of the YAML parser
      this.refuse(`the file cannot be parsed: ${(error as Error).message}`, {});
      return;
    }
    for (const error of this.document.errors) {
      this.fault(error.pos[0], {
        code: ConfigCode.SYNTAX,
        what: error.code === 'DUPLICATE_KEY' ? 'a key is given twice' : `not valid YAML: ${firstLine(error.message)}`,
        fix: error.code === 'DUPLICATE_KEY' ? 'keep one of them' : 'correct the syntax',
      });
    }
    if (this.problems.length > 0) return;
    if (this.document.contents === null) {
      this.refuse('the file is empty', {});
      return;
    }
    if (!this.isBounded(this.document.contents)) {
      this.refuse(`the file nests deeper than ${MAX_DEPTH} levels or expands to more than ${MAX_NODES} values`, {});
      return;
    }
    this.root = new ConfigNode(this, this.document.contents, '');
  }

  /** `file:line:column` of a position in the text. */
  public where(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.file}:${line}:${col}`;
  }

  /** Records a fault at a position in the text. */
  public fault(offset: number, problem: Omit<Problem, 'where'>): void {
    this.problems.push({ ...problem, where: this.where(offset) });
  }

  /** What an alias stands for; every other node itself. */
  public resolve(node: ParsedNode | null | undefined): ParsedNode | null | undefined {
    return isAlias(node) ? (node.resolve(this.document!) as ParsedNode | undefined) : node;
  }

  private refuse(what: string, facts: { value?: unknown; allowed?: string }): void {
    this.problems.push({
      code: ConfigCode.SYNTAX,
      what,
      ...facts,
      fix: 'write one YAML or JSON document',
      where: `${this.file}:1:1`,
    });
  }

  private isBounded(root: ParsedNode): boolean {
    let count = 0;
    const walk = (given: ParsedNode | null | undefined, depth: number): boolean => {
      count += isAlias(given) ? ALIAS_WEIGHT : 1;
      if (depth > MAX_DEPTH || count > MAX_NODES) return false;
      const node = this.resolve(given);
      if (!isCollection(node)) return true;
      return node.items.every((item) => {
        if (!isPair(item)) return walk(item as ParsedNode, depth + 1);
        this.requireTextKey(item.key as ParsedNode);
        return walk(item.value as ParsedNode | null, depth + 1);
      });
    };
    return walk(root, 0);
  }

  private requireTextKey(given: ParsedNode): void {
    const key = this.resolve(given);
    if (isScalar(key) && key.value !== null) return;
    this.fault(given.range?.[0] ?? 0, { code: ConfigCode.SYNTAX, what: 'a key is not a text', fix: 'write a plain key' });
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]!;
}
