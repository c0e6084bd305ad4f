import type { EndpointExplanation, ModelRule } from '../../picker/explain/explanation';
import type { Problem } from '../../shared/problem';
import type { ExplainPickerOptions } from './options';

/** A decision as `/debug/decisions` has it. */
export interface LiveDecision {
  readonly at: string;
  readonly id: number;
  readonly requestId?: string;
  readonly model: string;
  readonly rule?: ModelRule;
  readonly targetModel: string;
  /** `ip:port[,ip:port…]`, or the reason of the refusal. */
  readonly result: string;
  readonly explanation?: readonly EndpointExplanation[];
}

const LIMIT_MS = 10_000;

/** The decision that is asked for, of a picker that runs. */
export async function liveDecision({ picker, requestId }: ExplainPickerOptions): Promise<LiveDecision | Problem> {
  const url = new URL('/debug/decisions', picker);
  let decisions: readonly LiveDecision[];
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (answer.status !== 200) throw new Error(`it answers ${answer.status}`);
    decisions = ((await answer.json()) as { decisions: readonly LiveDecision[] }).decisions;
    if (!Array.isArray(decisions)) throw new Error('it answers something else than decisions');
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    return {
      code: 'AIG609',
      what: `the debug pages of the picker cannot be read: ${cause?.message ?? message}`,
      value: url.href,
      fix: 'give the address that --debug-address names; in a cluster: kubectl port-forward deploy/PICKER 9091',
    };
  }
  const wanted =
    requestId === undefined
      ? decisions[0]
      : decisions.find(({ id, requestId: given }) => given === requestId || String(id) === requestId);
  if (wanted !== undefined) return wanted;
  return {
    code: 'AIG610',
    what: requestId === undefined ? 'the picker has decided nothing yet' : 'the picker knows no such request',
    ...(requestId === undefined ? {} : { value: requestId }),
    allowed: `one of its last decisions (${decisions.length} kept)`,
    fix: 'send the request now and ask again within a minute: request ids are kept while somebody reads the page',
  };
}
