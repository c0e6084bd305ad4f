import { chatBody } from './messages';

describe('chatBody', () => {
  it.each([200, 1024, 16_384, 262_144])('is a valid chat completion of exactly %i bytes', (bytes) => {
    for (let seed = 0; seed < 20; seed++) {
      const text = chatBody(bytes, seed);
      expect(text).toHaveLength(bytes);
      expect(JSON.parse(text.toString())).toMatchObject({ model: 'llama', messages: [{ role: 'user' }], max_tokens: 128 });
    }
  });

  it('differs from its first words on with another seed', () => {
    const beginnings = Array.from({ length: 50 }, (_, seed) => chatBody(1024, seed).toString().slice(0, 100));
    expect(new Set(beginnings).size).toBe(50);
  });
});
