/** What came back for a chat request. */
export interface ChatAnswer {
  /** 0 when the connection was cut. */
  readonly status: number;
  /** Pod that answered; undefined when no engine did. */
  readonly engine: string | undefined;
  readonly retryAfter: string | undefined;
  /** Why the queue of the picker refused it. */
  readonly droppedReason: string | undefined;
  readonly body: string;
}

export interface ChatOptions {
  readonly prompt?: string;
  readonly maxTokens?: number;
  readonly stream?: boolean;
}

const LIMIT_MS = 30_000;

/** Sends one chat request and waits for all of its answer. */
export async function chat(
  url: string,
  model: string,
  headers: Readonly<Record<string, string>>,
  { prompt = 'Why is the sky blue?', maxTokens = 16, stream = false }: ChatOptions = {},
): Promise<ChatAnswer> {
  const body = JSON.stringify({
    model,
    max_tokens: maxTokens,
    ...(stream ? { stream } : {}),
    messages: [{ role: 'user', content: prompt }],
  });
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    return {
      status: answer.status,
      engine: answer.headers.get('x-inference-pod') ?? undefined,
      retryAfter: answer.headers.get('retry-after') ?? undefined,
      droppedReason: answer.headers.get('x-llm-d-request-dropped-reason') ?? undefined,
      body: await answer.text(),
    };
  } catch (error) {
    return { status: 0, engine: undefined, retryAfter: undefined, droppedReason: undefined, body: (error as Error).message };
  }
}
