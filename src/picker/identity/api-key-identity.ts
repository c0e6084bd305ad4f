import type { Problem } from '../../shared/problem';
import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import type { RequestApi } from '../openai/request-api';
import { directorySignature, readKeyDirectory } from './api-key-directory';
import { ApiKeys } from './api-keys';
import { bearer } from './bearer';
import type { Identity, VerifiedClient } from './identity';

/** A key that was taken away stops within a second. */
const POLL_INTERVAL_MS = 400;
/** Anthropic's clients send their key here. */
const ANTHROPIC_HEADER = 'x-api-key';
const CHALLENGE = ['www-authenticate', 'Bearer'];

/** Verifies API keys against a directory that it watches. */
export class ApiKeyIdentity implements Identity {
  public readonly credentialHeaders: readonly string[];
  private readonly keys = new ApiKeys();
  private signature = '';
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param onChange told of keys that do not count, after every change
   */
  public constructor(
    private readonly directory: string,
    private readonly header: string,
    private readonly onChange: (keys: number, problems: readonly Problem[]) => void,
    private readonly intervalMs = POLL_INTERVAL_MS,
  ) {
    this.credentialHeaders = [...new Set([header, ANTHROPIC_HEADER])];
  }

  /** Reads the keys and watches them. @returns why none can be read */
  public start(): readonly Problem[] {
    this.signature = directorySignature(this.directory);
    const read = readKeyDirectory(this.directory);
    if (read.keys === undefined) return read.problems;
    this.keys.replace(read.keys);
    if (read.problems.length > 0) this.onChange(this.keys.size, read.problems);
    this.timer = setInterval(() => this.poll(), this.intervalMs);
    this.timer.unref();
    return [];
  }

  public stop(): void {
    clearInterval(this.timer);
  }

  public identify(request: RequestFacts, api: RequestApi): VerifiedClient | RejectDecision {
    const key = bearer(request.header(this.header)) ?? bearer(request.header(ANTHROPIC_HEADER));
    if (key === undefined) {
      const detail = `there is no API key: send it as '${this.header}: Bearer …'`;
      return rejection(api, 'Unauthorized', detail, 'unauthorized-no-key', CHALLENGE);
    }
    return (
      this.keys.find(key) ??
      rejection(api, 'Unauthorized', 'the API key is not known', 'unauthorized-unknown-key', [
        'www-authenticate',
        'Bearer error="invalid_token"',
      ])
    );
  }

  private poll(): void {
    const signature = directorySignature(this.directory);
    if (signature === this.signature) return;
    const { keys, problems } = readKeyDirectory(this.directory);
    // a directory that is gone is a mount that broke, not the decision to lock everybody out
    if (keys !== undefined) {
      this.signature = signature;
      this.keys.replace(keys);
    } else if (this.signature === 'absent') return;
    else this.signature = 'absent';
    this.onChange(this.keys.size, problems);
  }
}
