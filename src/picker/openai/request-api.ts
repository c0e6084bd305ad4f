/** What a request's path says about its body; `passthrough` bodies are not read. */
export type RequestApi = 'chat' | 'completions' | 'embeddings' | 'responses' | 'messages' | 'passthrough';

// Longest suffix first, because `/chat/completions` ends with `/completions` too.
const SUFFIXES: readonly (readonly [suffix: string, api: RequestApi])[] = [
  ['/chat/completions/render', 'chat'],
  ['/completions/render', 'completions'],
  ['/images/generations', 'completions'],
  ['/chat/completions', 'chat'],
  ['/completions', 'completions'],
  ['/embeddings', 'embeddings'],
  ['/responses', 'responses'],
  ['/messages', 'messages'],
];

/** Chooses by the longest path suffix, the query left out. An absent `:path` (empty string) means completions, as in llm-d's picker. */
export function requestApi(path: string): RequestApi {
  if (path === '') return 'completions';
  const query = path.indexOf('?');
  const bare = query === -1 ? path : path.slice(0, query);
  for (let index = 0; index < SUFFIXES.length; index++) {
    const entry = SUFFIXES[index]!;
    if (bare.endsWith(entry[0])) return entry[1];
  }
  return 'passthrough';
}
