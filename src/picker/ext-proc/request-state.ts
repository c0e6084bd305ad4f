import { randomUUID } from 'node:crypto';
import { AnswerScanner } from '../openai/answer-scanner';
import { BodyScan } from '../openai/body-scanner';
import { type RequestApi, requestApi } from '../openai/request-api';
import type { ScannedBody } from '../openai/scanned-body';
import { UsageStripper } from '../openai/usage-stripper';
import type { RequestFacts } from './director';
import { HeaderBlock } from './header-block';
import { metadataText } from './metadata';

/** Everything of a request that is worth using again for the next one. */
export class RequestState implements RequestFacts {
  id = 0;
  path = '';
  api: RequestApi = 'completions';
  body: Buffer | undefined;
  scanned: ScannedBody | undefined;
  subset: readonly string[] | undefined;
  readonly headers = new HeaderBlock();
  readonly scan = new BodyScan();
  readonly answer = new AnswerScanner();
  readonly stripper = new UsageStripper();
  /** The client did not ask for the usage that the engine was asked for. */
  usageAdded = false;
  /** `metadata_context` of the last message that had one, where somebody reads it. */
  metadataBytes: Buffer | undefined;
  /** Made here when neither the client nor the proxy sent one. */
  generatedRequestId: string | undefined;

  get method(): string {
    return this.headers.get(':method') ?? '';
  }

  header(name: string): string | undefined {
    return this.headers.get(name) ?? (name === 'x-request-id' ? this.generatedRequestId : undefined);
  }

  /** @throws WireError */
  metadata(namespace: string, key: string): string | undefined {
    return this.metadataBytes === undefined ? undefined : metadataText(this.metadataBytes, namespace, key);
  }

  /** @throws WireError */
  begin(id: number, bytes: Buffer, start: number, end: number): void {
    this.id = id;
    this.answer.usage.reset();
    this.headers.read(bytes, start, end);
    this.path = this.headers.get(':path') ?? '';
    this.api = requestApi(this.path);
    this.generatedRequestId = this.headers.has('x-request-id') ? undefined : randomUUID();
  }

  clear(): void {
    this.headers.clear();
    this.headers.trim();
    this.answer.trim();
    this.stripper.trim();
    this.path = '';
    this.body = undefined;
    this.scanned = undefined;
    this.subset = undefined;
    this.usageAdded = false;
    this.generatedRequestId = undefined;
    this.metadataBytes = undefined;
  }
}
