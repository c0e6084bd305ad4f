import { badRequest } from './api-error';

/** A parsed JSON body of unknown content. */
export type Body = Readonly<Record<string, unknown>>;

export function parseBody(text: string): Body {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the request body is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('the request body must be a JSON object');
  return value as Body;
}

/** A positive whole number, or undefined when absent or null. */
export function positiveInteger(body: Body, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw badRequest(`${name} must be a whole number from 1 (got ${JSON.stringify(value)})`, name);
  }
  return value;
}

export function flag(body: Body, name: string): boolean {
  const value = body[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw badRequest(`${name} must be true or false (got ${JSON.stringify(value)})`, name);
  return value;
}

/** `stream_options.include_usage` of the OpenAI API. */
export function includesUsage(body: Body): boolean {
  const options = body['stream_options'];
  if (options === undefined || options === null) return false;
  if (typeof options !== 'object') throw badRequest('stream_options must be an object', 'stream_options');
  return flag(options as Body, 'include_usage');
}

/** Refuses what the simulated engine would silently do otherwise. */
export function refuseSeveralChoices(body: Body): void {
  for (const name of ['n', 'best_of']) {
    if ((positiveInteger(body, name) ?? 1) > 1) throw badRequest(`${name} above 1 is not simulated`, name);
  }
}

/** The text of a message's content: a string, or parts of which those with text count; other parts count by their reference. */
export function contentText(content: unknown, where: string): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw badRequest(`${where} must be a string or a list of parts`, where);
  return content
    .map((part: unknown) => {
      if (typeof part === 'string') return part;
      const text = (part as Body | null)?.['text'];
      return typeof text === 'string' ? text : JSON.stringify(part);
    })
    .join('\n');
}

/** Messages put into one prompt, each with its role, as a chat template does; the last user message is what echo mode repeats. */
export function chatPrompt(messages: unknown, name: string, system?: string): { prompt: string; lastUser: string } {
  if (!Array.isArray(messages) || messages.length === 0)
    throw badRequest(`${name} must be a list with at least one message`, name);
  let prompt = system ? `<|system|>\n${system}\n` : '';
  let lastUser = '';
  messages.forEach((message: unknown, index) => {
    const role = (message as Body | null)?.['role'];
    if (typeof role !== 'string') throw badRequest(`${name}[${index}].role must be a string`, name);
    const text = contentText((message as Body)['content'], `${name}[${index}].content`);
    prompt += `<|${role}|>\n${text}\n`;
    if (role === 'user') lastUser = text;
  });
  return { prompt: `${prompt}<|assistant|>\n`, lastUser };
}
