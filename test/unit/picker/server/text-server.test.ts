import { TextServer } from '../../../../src/picker/server/text-server';

test('pages are served piece by piece, and nothing else', async () => {
  const errors: unknown[] = [];
  const pages = new Map([
    ['/metrics', { contentType: 'text/x', pieces: () => ['a\n', 'b\n'] }],
    [
      '/broken',
      {
        contentType: 'text/x',
        *pieces(): Generator<string> {
          yield 'a';
          throw new Error('broken page');
        },
      },
    ],
  ]);
  const server = new TextServer(pages, (error) => errors.push(error));
  await server.listen(0, '127.0.0.1');
  const base = `http://127.0.0.1:${server.port}`;
  const page = await fetch(`${base}/metrics?x=1`);
  expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([200, 'text/x', 'a\nb\n']);
  expect((await fetch(`${base}/`)).status).toBe(404);
  expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(405);
  await expect(fetch(`${base}/broken`).then((response) => response.text())).rejects.toThrow();
  expect(errors).toEqual([new Error('broken page')]);
  server.close();
});

test('a port that is taken is an error', async () => {
  const first = new TextServer(new Map(), () => {});
  await first.listen(0, '127.0.0.1');
  await expect(new TextServer(new Map(), () => {}).listen(first.port!, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
  first.close();
});
