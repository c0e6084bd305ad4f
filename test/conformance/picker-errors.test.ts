import { describeWith } from '../components/describe-with';
import type { ExtProcClient } from '../integration/picker-program/ext-proc-client';
import { PickerPair } from './picker-pair';

interface Answer {
  readonly status: number;
  /** `inference error: <Code> - <detail>`; undefined for a request that is routed. */
  readonly message: string | undefined;
}

const ROUTED: Answer = { status: 0, message: undefined };
const PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses', '/v1/messages'];
const whole = '"messages":[{"role":"user","content":"x"}],"prompt":"x","input":"x"';

/** Bodies that every path answers in the same words. */
const SAME: readonly (readonly [string, string])[] = [
  ['a good body', `{"model":"m",${whole}}`],
  ['two models', `{"model":"m",${whole},"model":"n"}`],
  ['a wrong type that the engine will refuse', `{"model":"m",${whole},"stream":"yes","max_tokens":"1"}`],
  ['lists of texts', '{"model":"m","messages":[{"role":"user"}],"prompt":["a","b"],"input":["a"]}'],
  ['no model', `{${whole}}`],
  ['an empty model', `{"model":"",${whole}}`],
  ['a model that is a number', `{"model":5,${whole}}`],
];

/** Malformed bodies: the same status and the same beginning of the message; Go's parser and this one describe the place in their own words. */
const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a cut object', '{'],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['something behind the object', `{"model":"m",${whole}} more`],
  ['a byte order mark', `\ufeff{"model":"m",${whole}}`],
  ['a key without quotes', `{"model":"m",${whole}, max_tokens:5}`],
  ['a broken escape', `{"model":"m","note":"\\u00zz",${whole}}`],
];

/** Bodies whose prompt is missing in one way or another. `/v1/responses` may do without: it can continue an earlier one. */
const WITHOUT_PROMPT: readonly (readonly [string, string])[] = [
  ['an empty object', '{}'],
  ['a model alone', '{"model":"m"}'],
  ['nulls', '{"model":"m","messages":null,"prompt":null,"input":null}'],
  ['empty values', '{"model":"m","messages":[],"prompt":"","input":""}'],
];

describeWith(['epp'], 'answers of the picker and of the reference to the same bodies', ({ epp }) => {
  const pair = new PickerPair();

  beforeAll(() => pair.start(epp, 1), 60_000);
  afterAll(() => pair.stop());

  async function both(path: string, body: string): Promise<{ ours: Answer; theirs: Answer }> {
    const [ours, theirs] = await Promise.all([ask(pair.ours.client, path, body), ask(pair.theirs.client, path, body)]);
    return { ours, theirs };
  }

  describe.each(PATHS)('%s', (path) => {
    test.each(SAME)('%s', async (_what, body) => {
      const { ours, theirs } = await both(path, body);
      expect(ours).toEqual(theirs);
    });

    test.each(MALFORMED)('%s', async (_what, body) => {
      const { ours, theirs } = await both(path, body);
      expect(ours.status).toBe(400);
      expect(theirs.status).toBe(400);
      // the reference says `request body:` of Anthropic's API and `request bodyMap:` of OpenAI's
      const known = /^inference error: BadRequest - error unmarshaling request body(Map)?: ./;
      expect(theirs.message).toMatch(known);
      expect(ours.message).toMatch(known);
    });
  });

  describe.each(PATHS.filter((path) => path !== '/v1/responses'))('%s without a prompt', (path) => {
    test.each(WITHOUT_PROMPT)('%s', async (_what, body) => {
      const { ours, theirs } = await both(path, body);
      expect(theirs.status).toBe(400);
      expect(ours).toEqual(theirs);
    });
  });

  test.each([
    ['a response that may continue another one', '/v1/responses', '{"model":"m","previous_response_id":"r"}'],
    ['a path of no known API', '/tokenize', '{"model":"m","prompt":"x"}'],
  ])('%s is refused by the reference, and left to the engine here', async (_what, path, body) => {
    const { ours, theirs } = await both(path, body);
    expect(theirs.status).toBe(400);
    expect(ours).toEqual(ROUTED);
  });

  test('every answer has the error shape of its API here; the reference sends bare text', async () => {
    const stream = pair.ours.client.open();
    stream.post('/v1/messages', '{');
    const reply = await stream.next();
    expect(reply?.set).toEqual({ 'content-type': 'application/json' });
    expect(JSON.parse(reply!.body!)).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });
});

async function ask(client: ExtProcClient, path: string, body: string): Promise<Answer> {
  const stream = client.open();
  stream.post(path, body);
  const reply = await stream.next();
  stream.end();
  if (reply?.kind !== 'immediateResponse')
    return reply?.kind === 'requestHeaders' ? ROUTED : { status: -1, message: reply?.kind };
  return { status: reply.status!, message: messageOf(reply.body!) };
}

/** The message, bare or in the shape of an API. */
function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    return body;
  }
}
