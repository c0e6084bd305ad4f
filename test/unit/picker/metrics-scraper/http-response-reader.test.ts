import { BodyBuffers, HttpResponseReader } from '../../../../src/picker/metrics-scraper/http-response-reader';

function reader(maxBodyBytes = 1 << 20): HttpResponseReader {
  return new HttpResponseReader(new BodyBuffers(), maxBodyBytes);
}

/** Feeds a response in pieces of `size` bytes, from the middle of a larger buffer as a socket would. */
function feed(into: HttpResponseReader, response: string, size = Number.POSITIVE_INFINITY): HttpResponseReader {
  const bytes = Buffer.from(`<<<${response}>>>`, 'latin1');
  for (let at = 3; at < bytes.length - 3; at += size) into.push(bytes, at, Math.min(bytes.length - 3, at + size));
  return into;
}

function textOf({ body, bodyLength }: HttpResponseReader): string {
  return body?.toString('latin1', 0, bodyLength) ?? '';
}

const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n1\r\n \r\nA\r\nto you all\r\n0\r\nx-sum: 1\r\n\r\n';

describe('reading an HTTP response', () => {
  test.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
    ['with length 0', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', ''],
    ['chunked', CHUNKED, 'hello to you all'],
    [
      'chunked, although a length is given',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
      'ab',
    ],
    [
      'after an interim response',
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab',
      'ab',
    ],
    ['with bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nab', 'ab'],
    ['without content', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
  ])('%s, cut at every place', (_, response, expected) => {
    for (let size = 1; size <= response.length; size++) {
      const read = feed(reader(), response, size);
      expect([read.failure, read.isDone, textOf(read)]).toEqual(['', true, expected]);
    }
  });

  test.each([
    ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: close\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n', true],
  ])('%j keeps the connection: %s', (response, expected) => {
    expect(feed(reader(), response).keepAlive).toBe(expected);
  });

  test('a response without a length ends with the connection', () => {
    const read = feed(reader(), 'HTTP/1.1 200 OK\r\n\r\nall of it', 4);
    expect(read.isDone).toBe(false);
    read.end();
    expect([read.isDone, read.keepAlive, textOf(read)]).toEqual([true, false, 'all of it']);
  });

  test.each([
    ['no HTTP', '{"error": "nope"}\r\n\r\n', 'not an HTTP/1.1 response'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', 'not an HTTP/1.1 response'],
    ['compressed', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx', 'content-encoding gzip'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n', 'transfer-encoding'],
    ['a length in words', 'HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\n', 'content-length'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n', 'content-length'],
    ['a chunk size in words', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfive\r\n', 'chunk size'],
    [
      'a chunk that is longer than it says',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
      'longer than its size',
    ],
    ['bytes after the end', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab', 'bytes follow'],
    ['an announced body beyond the bound', 'HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n', 'larger than 1000 bytes'],
    [
      'chunks beyond the bound',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2000)}`,
      'larger than 1000 bytes',
    ],
    ['a body without end', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2000)}`, 'larger than 1000 bytes'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`, 'head is too long'],
    [
      'a chunk extension without end',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${'x'.repeat(2000)}`,
      'chunk-size line is too long',
    ],
  ])('refuses %s', (_, response, reason) => {
    for (const size of [1, 7, 100_000]) expect(feed(reader(1000), response, size).failure).toContain(reason);
  });

  test('a connection that ends in the middle is a failure', () => {
    for (const part of [
      '',
      'HTTP/1.1 200 OK\r\ncontent',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel',
      CHUNKED.slice(0, -2),
    ]) {
      const read = feed(reader(), part);
      read.end();
      expect(read.failure).toContain('closed before the response was complete');
    }
  });

  test('a second response on the same connection', () => {
    const read = feed(reader(), CHUNKED);
    read.reset();
    expect(textOf(feed(read, 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))).toBe('ok');
  });

  test('a body that outgrows its buffer stays whole', () => {
    const body = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join('');
    expect(textOf(feed(reader(), `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`, 1000))).toBe(body);
  });
});
